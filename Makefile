# Every task of the project. `make demo` and `make test` set everything up themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up

.PHONY: setup demo test lint bench clean

setup: $(STAMP)  ## make the virtual environment and install everything

$(STAMP): pyproject.toml tests/sdk/js/package.json
# Debian keeps a part of venv in a package of its own; the machine's pip can put itself in its place.
	$(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(BIN)/python install -q --upgrade pip
	$(BIN)/python -m pip install -q --editable . --group dev
	@command -v npm >/dev/null && npm install --prefix tests/sdk/js --no-audit --no-fund --silent \
		--fetch-timeout=60000 --fetch-retries=1 \
		|| echo "npm is missing or cannot install: the JavaScript client's tests are left out."
	@touch $@

demo: $(STAMP)  ## start a server and put real pictures through it
	$(BIN)/python demo/demo.py

test: $(STAMP)  ## run all tests
	$(BIN)/python -m pytest

lint: $(STAMP)  ## check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(STAMP)  ## measure; each benchmark also runs alone
	$(BIN)/python bench/latency.py
	$(BIN)/python bench/ingest.py
	$(BIN)/python bench/budgets.py
	$(BIN)/python bench/reading.py
	$(BIN)/python bench/again.py
	$(BIN)/python bench/fairness.py
	$(BIN)/python bench/interactions.py
	$(BIN)/python bench/uploads.py
	$(BIN)/python bench/video.py
	$(BIN)/python bench/sound.py
	$(BIN)/python bench/pages.py

clean:  ## remove what set-up and runs have made
	rm -rf $(VENV) tests/sdk/js/node_modules demo-output
