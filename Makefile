# Every target uses the one environment, .venv, which it makes first: `demo` a small one, the others all of it.
# Nothing is needed beforehand but Python 3.11 to 3.13.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
FOR_DEMO := .venv/.installed-for-demo
ALL := .venv/.installed-all

.PHONY: demo demo-failures demo-tryton test test-alone test-long check bench readme images wheel lock clean

demo: $(FOR_DEMO)  ## a real run: three jobs against the embedded Pleo and a Fava ledger
	$(BIN)/pleo-export demo

demo-failures: $(FOR_DEMO)  ## every failure of an accounting system, through the real flow
	$(BIN)/pleo-export demo --failures

demo-tryton: $(ALL)  ## the same with a real Tryton on a real PostgreSQL, which are installed for it
	$(BIN)/pleo-export demo --tryton

test: $(ALL)  ## the default test suite
	$(BIN)/python -m pytest -n 3 --no-loadscope-reorder $(PYTEST_ARGS)

test-alone: $(ALL)  ## what wants the machine to itself: a real browser, several machines, an operator's retries
	$(BIN)/python -m pytest -m alone $(PYTEST_ARGS)

test-long: $(ALL)  ## kills at every request, parts of Prefect's server that go, long fuzzing: an hour or more
	$(BIN)/python -m pytest -n 2 --no-loadscope-reorder -m long $(PYTEST_ARGS)

check: $(ALL)  ## style, types, and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(ALL)  ## the measured figures of docs/benchmarks.md
	$(BIN)/python -m benchmarks

# $(1): what uv is to install; $(2): the same as a list for pip.
define install
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed; name one with: make PYTHON=/path/to/python3.12"; exit 1; }
	@if command -v uv >/dev/null; then \
		echo "Installing with uv ..." && uv sync --quiet --frozen $(1) --python $(PYTHON); \
	else \
		echo "Installing with pip (uv would be quicker) ..." && \
		{ [ -x $(BIN)/python ] || $(PYTHON) -m venv .venv; } && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(2) && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .; \
	fi
	@touch $@
endef

$(FOR_DEMO): pyproject.toml uv.lock requirements-demo.lock
	$(call install,--inexact --no-dev --extra demo,requirements-demo.lock)

$(ALL): pyproject.toml uv.lock requirements.lock
	$(call install,--all-extras,requirements.lock)
	@touch $(FOR_DEMO)

readme: $(ALL)  ## bring the tables of README.md up to date with the code
	$(BIN)/python -m tests.docs.readme_tables

wheel: $(ALL)  ## what is released, in dist/
	$(PYTHON) -m pip wheel --quiet --no-deps --wheel-dir dist .

images: $(ALL)  ## take the images of docs/operators.md anew, in a real browser
	IMAGES=docs/images $(BIN)/python -m pytest -m alone tests/browser/test_operator.py

EXPORT := uv export --quiet --frozen --no-emit-project --format requirements-txt --no-header

lock:  ## bring the locks up to date after a change of pyproject.toml
	uv lock
	$(EXPORT) --no-dev --extra demo -o requirements-demo.lock
	$(EXPORT) --all-extras --all-groups -o requirements.lock

clean:
	rm -rf .venv .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
