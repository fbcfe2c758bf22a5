# Every target makes the one environment, .venv, and needs nothing but Python 3.11 to 3.13 beforehand.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo demo-failures test check bench readme lock clean

demo: $(STAMP)  ## a real run: three jobs against the embedded Pleo and a Fava ledger
	$(BIN)/pleo-export demo

demo-failures: $(STAMP)  ## every failure of an accounting system, through the real flow
	$(BIN)/pleo-export demo --failures

test: $(STAMP)  ## the default test suite
	$(BIN)/python -m pytest -n 2 --no-loadscope-reorder $(PYTEST_ARGS)

check: $(STAMP)  ## style, types, and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)  ## the measured figures of docs/benchmarks.md
	$(BIN)/python -m benchmarks

$(STAMP): pyproject.toml uv.lock requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed; name one with: make PYTHON=/path/to/python3.12"; exit 1; }
	@if command -v uv >/dev/null; then \
		echo "Installing with uv ..." && uv sync --quiet --frozen --all-extras --python $(PYTHON); \
	else \
		echo "Installing with pip (uv would be quicker) ..." && \
		$(PYTHON) -m venv .venv && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .; \
	fi
	@touch $@

readme: $(STAMP)  ## bring the tables of README.md up to date with the code
	$(BIN)/python -m tests.docs.readme_tables

lock:  ## bring uv.lock and requirements.lock up to date after a change of pyproject.toml
	uv lock
	uv export --quiet --frozen --all-extras --all-groups --no-emit-project --format requirements-txt --no-header -o requirements.lock

clean:
	rm -rf .venv .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
