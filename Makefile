# Ridgepoint: `make run` starts it, `make test` proves it.
SHELL := /bin/bash
PYTHON ?= python3.11
PORT ?= 8501
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help

.PHONY: help
help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

.venv/bin/python:
	@$(PYTHON) -c 'import sys; assert sys.version_info[:2] == (3, 11)' 2>/dev/null || { echo "Python 3.11 is needed: install python3.11 and python3.11-venv, or say make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | .venv/bin/python
	$(PIP) -r requirements.txt
	@touch $@

.venv/test.stamp: requirements.txt requirements-dev.txt requirements-bench.txt | .venv/bin/python
	$(PIP) -r requirements-dev.txt
	$(PIP) -r requirements-bench.txt
	@touch .venv/run.stamp $@

.PHONY: run
run: .venv/run.stamp ## start the dashboard on PORT (default 8501)
	RIDGEPOINT_PORT=$(PORT) $(BIN)/python -m streamlit run app.py --server.port $(PORT) --server.address $${RIDGEPOINT_HOST:-127.0.0.1}

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq chromium >/dev/null; fi; }
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { echo "The browser tests and images need Chromium: install the package chromium, then run this again"; exit 1; }

.PHONY: test
test: .venv/test.stamp chromium ## run all tests, from nothing
	$(BIN)/python -m pytest tests -m "not long and not browser" -n 2 --dist loadfile
	@# A browser on a crowded machine can lose a race: what fails is told, and tried once more.
	$(BIN)/python -m pytest tests -m "browser and not long" || $(BIN)/python -m pytest tests -m "browser and not long" --last-failed --last-failed-no-failures none

.PHONY: test-long
test-long: .venv/test.stamp chromium ## run the long tests, in parts that resume after a stop
	$(BIN)/python -m pytest tests -m long --stepwise

.PHONY: lint
lint: .venv/test.stamp ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: .venv/test.stamp ## put the code into its format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: shots
shots: .venv/test.stamp chromium ## a picture of every page, light, dark and 390 px wide, into shots/
	$(BIN)/python -m tools.shots shots

.PHONY: speed
speed: .venv/test.stamp chromium ## how fast, as ratios measured side by side
	$(BIN)/python -m tests.speed

.PHONY: peers
peers: .venv/test.stamp ## time the serving model beside other estimators, each in its own environment
	$(BIN)/python -m tools.peers

.PHONY: validation
validation: .venv/run.stamp ## rewrite docs/validation.md and its plot from the published measurements
	$(BIN)/python -m analytics.validate --report docs/validation.md

.PHONY: clean
clean: ## remove the environment and what the tools leave; your store in var/ stays
	rm -rf .venv shots .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
