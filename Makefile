.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# Small models train fastest on one thread; more on a busy core are many times slower.
export OMP_NUM_THREADS := 1

help:  ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: .venv/run  ## Serve the explorer at http://localhost:8501, or the next free port
	$(BIN)/python -m ui.window.serve

test: .venv/dev  ## Run every test, on every core (the browser's need Chromium)
	$(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder

fresh: .venv/dev  ## The tests of the theorems, every run of theirs trained anew (an hour)
	$(BIN)/python -m pytest -n logical --dist loadfile -m slow --fresh

check: .venv/dev tests/eslint/node_modules  ## Lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PATH="$(CURDIR)/$(BIN):$$PATH" tests/eslint/node_modules/.bin/eslint -c tests/eslint/eslint.config.js ui

load: .venv/dev  ## A classroom at once: sessions, and links of random text by the thousand
	PYTHONPATH=. $(BIN)/python tests/load.py
	EXPLORER_FUZZ=10000 $(BIN)/python -m pytest -n logical tests/test_hostile.py

docs: .venv/dev  ## Make the API's pages from the docstrings, into docs/api
	$(BIN)/pdoc core -o docs/api

mutate: .venv/dev  ## Put defects in on purpose, each of which some test must see
	$(BIN)/python tests/mutate.py

shots: .venv/dev  ## Draw every page and part into shots/, wide and narrow, light and dark
	$(BIN)/python tests/shots.py

gallery: .venv/run  ## Train what the shipped gallery lacks
	$(BIN)/python -m core gallery build

bench: .venv/run  ## Measure the speeds on this machine
	$(BIN)/python -m core bench

# The stamps make both installations safe to repeat and instant the second time.
.venv/run: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev: requirements.txt requirements-dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/run

tests/eslint/node_modules: .venv/dev tests/eslint/package-lock.json
	cd tests/eslint && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent
	@touch $@

.PHONY: help run test fresh check load docs mutate shots gallery bench
