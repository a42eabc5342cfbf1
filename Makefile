# Everything a newcomer needs: `make` lists it. Each target does the set-up it needs, once.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# What `make test-matrix` runs the tests on; pyproject.toml names the same.
PYTHONS ?= 3.11 3.12 3.13
PIP    := $(BIN)/python -m pip --disable-pip-version-check

# The environment has what it should have if this file is newer than what says so.
CORE := $(VENV)/.core-installed
DEV  := $(VENV)/.dev-installed

COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help setup demo lab sandbox test test-matrix test-long docs lint format bench bench-100m bench-scaling lock clean

help:  ## list these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(DEV)  ## everything into .venv: the package, JupyterLab, the Snowflake connector, test tools

demo: $(CORE)  ## a generated warehouse, an audience, a preview, a push to a sandbox on this machine
	@$(BIN)/personas demo

# Jupyter wants to be told that it may run as root, which it is in many containers.
lab: $(DEV)  ## JupyterLab on the quickstart notebook; ARGS=--no-browser and the like
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS) notebooks/00_quickstart.ipynb

sandbox: $(CORE)  ## stand-ins for the destinations, on this machine, to push to
	@$(BIN)/personas sandbox

# A process for each core; a failure in one of many is easier to look at alone: TESTS=... ARGS="-n 0 -x".
test: $(DEV)  ## all tests; TESTS=tests/compiler for some, ARGS="-x -k name" for pytest
	$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal $(ARGS) $(TESTS)

# Not with the locks: with the newest packages that pyproject.toml allows, which is what pip installs for a person today.
test-matrix:  ## the tests on every Python there is, with the newest packages; TESTS=... for some, PYTHONS=3.13 for one
	TESTS='$(TESTS)' ARGS='$(ARGS)' $(PYTHON) -m tests.matrix $(PYTHONS)

# Ten thousand and more worlds are held against the reading by hand; pushes are killed by the thousand, every fault
# follows every other, days are simulated from 20,000 seeds, and months hour by hour. A failure prints what repeats it,
# and at the end every campaign says in a line what it did.
test-long: $(DEV)  ## the random tests at length: worlds read by hand, pushes killed, days simulated (hours)
	HYPOTHESIS_PROFILE=long PERSONAS_LONG=1 $(BIN)/python -m pytest --timeout=0 $(ARGS) \
		tests/compiler tests/activation tests/membership tests/security tests/soak

# Nothing is fetched, neither to build it nor to read it; a warning is an error.
docs: $(DEV)  ## the site of the documentation: build/docs/index.html
	$(BIN)/python -m sphinx --quiet --fail-on-warning -c docs -d .cache/doctrees . build/docs

lint: $(DEV)  ## style, format, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy personas_kit
	$(BIN)/lint-imports --no-cache

format: $(DEV)  ## put the code into the form that lint wants
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Both leave what they measured in .cache, as JSON and as the table of docs/performance.md.
bench: $(DEV)  ## measure against the alternatives, side by side (minutes); ARGS="changes.uuid" for one of them
	$(BIN)/python -m benchmarks --json .cache/bench.json --markdown .cache/bench.md $(ARGS)

bench-100m: $(DEV)  ## the same with a hundred million members: 10 GB of memory, 15 GB of disk
	$(BIN)/python -m benchmarks --large --json .cache/bench-100m.json --markdown .cache/bench-100m.md $(ARGS)

bench-scaling: $(DEV)  ## how cost grows with definitions, events and members: docs/scaling.md, with plots
	$(BIN)/python -m benchmarks.scaling $(ARGS)

lock: $(DEV)  ## resolve anew what requirements/*.lock pin
	$(COMPILE) --all-extras pyproject.toml requirements/build.in -o requirements/dev.lock
	$(COMPILE) --constraint requirements/dev.lock pyproject.toml requirements/build.in -o requirements/core.lock

clean:  ## remove the environment, caches and builds; never state (.personas) nor a warehouse
	rm -rf $(VENV) .cache build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The locks agree on every version they share, so that the larger installs on top of the smaller.
$(CORE): requirements/core.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes -r requirements/core.lock
	$(PIP) install --quiet --no-build-isolation --no-deps -e .
	@touch $@

$(DEV): requirements/dev.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes -r requirements/dev.lock
	$(PIP) install --quiet --no-build-isolation --no-deps -e .
	@touch $@ $(CORE)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "personas_kit needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
		echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "$(PYTHON) cannot make environments: on Debian and Ubuntu, apt-get install python3-venv."; exit 1; }
	$(PYTHON) -m venv $(VENV)
