# Two commands matter: `make chat` and `make test`. The rest is for people who work on Forage.
unexport PYTHONDONTWRITEBYTECODE  # compiled files make every start faster
PYTHON ?= python3
DATA ?= data
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin

.PHONY: chat test check bench ask test-slow test-browser clean

chat: $(VENV)/.ready
	@test -f $(DATA)/forage.db || $(BIN)/forage --data-dir $(DATA) ingest examples/collection --collection examples
	$(BIN)/forage --data-dir $(DATA) chat --port $(PORT)

test: $(VENV)/.ready-dev
	$(BIN)/python -m pytest

check: $(VENV)/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.ready-dev
	$(BIN)/python -m benchmarks.run $(ARGS)

ask: $(VENV)/.ready
	@test -f $(DATA)/forage.db || $(BIN)/forage --data-dir $(DATA) ingest examples/collection --collection examples
	@$(BIN)/forage --data-dir $(DATA) ask "$(Q)"

test-slow: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -m slow --timeout 900

test-browser: $(VENV)/.ready-dev
	$(BIN)/python -m pip install -q -c constraints.txt playwright
	$(BIN)/python -m pytest -m browser --timeout 600

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Forage needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
