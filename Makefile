# `make` alone says what there is. Every target sets up its own environment in .venv first.

PYTHON ?= python3
VENV ?= .venv
DEMO ?= .venv-demo
SEEDS ?= 1000
KILLS ?= 200
RUNS ?= 200
SEED ?= 0
FROM ?=
# One more than there are processors: many tests wait for servers and builders.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
MODULES ?=
BUILDER ?= buildah
IMAGE ?= score-flyio

BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Tests start the command thousands of times, from compiled modules, as users do.
unexport PYTHONDONTWRITEBYTECODE
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help install demo docs pictures format lint types generate generate-check test bench bench-compare soak soak-commands mutate advisories lock image build check clean

help:  ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY)  ## Set up the environment in .venv

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# Only what runs: the tools for the work on the project are ten times as large.
demo: $(DEMO)/.ready  ## Deploy the samples to an emulator, with nothing but this folder
	PATH="$(abspath $(DEMO))/bin:$$PATH" samples/demo.sh

$(DEMO)/.ready: pyproject.toml constraints.txt
	test -x $(DEMO)/bin/python || $(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

docs: $(READY)  ## Make the site of the documentation in build/site
	$(BIN)/python -m website

pictures: $(READY)  ## Make the pictures of the README
	$(BIN)/python -m tests.browser.pictures

format: $(READY)  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(READY)  ## Check format and style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)  ## Check types, of what Windows has too
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32 src/score_flyio

generate: $(READY)  ## Generate generated/fly_machines from openapi
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python openapi/generate.py

generate-check: $(READY)  ## Check that the generated code is fresh
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python openapi/generate.py --check

test: $(READY)  ## Run all tests
	for part in browser images servers shells; do tests/setup.sh $$part || true; done
	$(PYTEST) -n $(WORKERS) --dist worksteal

bench: $(READY)  ## Measure the targets; prints a table and writes bench-results.json
	$(BIN)/python -m tests.bench

bench-compare: $(READY)  ## Measure, and tell what became slower since the stored baseline
	$(BIN)/python -m tests.bench || true
	$(BIN)/python -m tests.bench.compare

soak: $(READY)  ## Run SEEDS=n seeded fault schedules, and kill generate KILLS=n times
	$(BIN)/python -m tests.simulation.soak --seeds $(SEEDS)
	SCORE_FLYIO_KILLS=$(KILLS) $(PYTEST) -q -n $(WORKERS) tests/integration/test_kill_generate.py

soak-commands: $(READY)  ## Kill or signal RUNS=n real commands at random calls, from SEED=n on, and run the same again
	$(BIN)/python -m tests.integration.killed --runs $(RUNS) --seed $(SEED)

mutate: $(READY)  ## Change the MODULES that decide, line by line, and see whether tests notice; takes long
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m tests.mutation $(MODULES)

advisories: $(READY)  ## Take known holes from FROM=file or folder, an export of the OSV database for PyPI
	$(BIN)/python -m tests.meta.advisories $(FROM)

lock: $(READY)  ## Lock what runs in requirements.lock, and list it in sbom.cdx.json
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m tests.meta.locked

image: $(READY)  ## Build the container image of the tool with BUILDER=buildah, docker or podman
	rm -rf dist
	$(BIN)/python -m hatchling build -t wheel
	$(BUILDER) build -t $(IMAGE) .

build: $(READY)  ## Build wheel and source distribution in dist
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(PYTEST) -q tests/meta/test_distribution.py

check: lint types generate-check test  ## Everything that has to pass

clean:  ## Remove what was built; keeps .venv
	rm -rf dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov mutants
