#!/bin/sh
# Lock every dependency with its hashes; the files name no registry.
set -eu
cd "$(dirname "$0")/.."
lock() { .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header "$@"; }
lock pyproject.toml --output-file requirements/runtime.txt
lock requirements/build.in --constraint requirements/runtime.txt --output-file requirements/build.txt
lock requirements/node.in --output-file requirements/node.txt
lock pyproject.toml --extra spark --extra postgres --extra mongo --extra youtube --extra kafka --extra tracing --group dev --constraint requirements/runtime.txt --constraint requirements/build.txt \
  --constraint requirements/node.txt --constraint requirements/constraints.in \
  --output-file requirements/dev.txt
