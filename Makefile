# The workspace's commands; `make help` lists them. Everything runs in .venv, which is made when it is missing or stale.

# The first of these that runs and is new enough; PYTHON=/path/to/python3 chooses another.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
    $$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
DISTRIBUTIONS := core plugins/solo plugins/threads plugins/prefork plugins/gevent plugins/eventlet plugins/dask hosts/celery
SOURCES := $(addsuffix /src,$(DISTRIBUTIONS)) tests $(wildcard examples benchmarks)
STAMP := $(VENV)/.complete
PYTEST_FLAGS ?= -n 2
# Tests start thousands of interpreters: what those import is compiled once, whatever the caller's environment says.
export PYTHONDONTWRITEBYTECODE :=
# What takes longer than all other tests together.
LONG_TESTS := tests/kit tests/strangers tests/dask/test_kit.py tests/doctor/test_libraries_alone.py \
    tests/packaging/test_new.py

.DEFAULT_GOAL := help
.PHONY: help venv demo demo-worker test test-long check style types tree format bench docs dist clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(STAMP)  ## make .venv: every distribution, editable, and the development tools

$(STAMP): pyproject.toml constraints.txt $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))
	@test -n "$(PYTHON)" || { echo "pools needs Python 3.11 or newer, and none is on PATH: make PYTHON=/path/to/python3" >&2; exit 2; }
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' || { \
	    echo "$(PYTHON) is $$("$(PYTHON)" --version 2>&1); pools needs Python 3.11 or newer: make PYTHON=/path/to/python3" >&2; exit 2; }
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev \
	    $(foreach distribution,$(DISTRIBUTIONS),--editable ./$(distribution))
	@touch $@

demo: $(STAMP)  ## fetch and parse a thousand feeds through four pools
	$(BIN)/python -m examples.feedhub

demo-worker: $(STAMP)  ## a shop's orders, by a Celery worker with no server
	$(BIN)/python -m examples.shop

test: $(STAMP)  ## run the tests; PYTEST_FLAGS chooses how (default: -n 2)
	$(BIN)/python -m pytest $(PYTEST_FLAGS) --pools-quick $(addprefix --ignore=,$(LONG_TESTS))

test-long: $(STAMP)  ## run the others: the whole kit on every pool, its mutants, strangers' pools
	$(BIN)/python -m pytest $(PYTEST_FLAGS) $(LONG_TESTS) $(filter-out $(LONG_TESTS),$(wildcard tests/*/test_kit.py))

check: style types tree  ## formatting, lint, types and the shape of the tree; changes nothing

style: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy $(SOURCES)

tree: $(STAMP)
	$(BIN)/python -m pytest --quiet tests/core/test_tree.py tests/packaging/test_versions.py tests/packaging/test_docs_commands.py

format: $(STAMP)  ## format the code and mend what ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)  ## measure our pools and their peers in one run
	$(BIN)/python -m benchmarks

docs: $(STAMP)  ## build the documentation into docs/_build
	$(BIN)/python -m sphinx -W --keep-going --quiet docs docs/_build

dist: $(STAMP)  ## build every wheel and sdist into dist/
	rm -rf dist
	for distribution in $(DISTRIBUTIONS); do \
	    $(BIN)/python -m build --quiet --no-isolation --outdir dist $$distribution || exit; \
	done

clean:  ## remove what these targets make
	rm -rf $(VENV) dist docs/_build .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
