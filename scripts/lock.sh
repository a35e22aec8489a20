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
# What container images hold: the versions that were tested.
extras="--extra postgres --extra mongo --extra youtube --extra kafka --extra tracing"
lock pyproject.toml $extras --constraint requirements/dev.txt --output-file requirements/image.txt
lock pyproject.toml $extras --extra spark --constraint requirements/dev.txt --output-file requirements/image-spark.txt
# Airflow lives in an environment of its own, so nothing here constrains it.
lock requirements/airflow.in --output-file requirements/airflow.txt
