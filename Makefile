# Every task of the project. `make demo` and `make test` set up what they need themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
GENAI2 := $(VENV)/genai2
# Tests in as many processes as there are cores; each starts servers of its own.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist worksteal
# What each set-up leaves behind, newer than all it was made from.
BASE := $(VENV)/.base
SHOW := $(VENV)/.demo
STAMP := $(VENV)/.set-up

# Exactly what the locks name, down to the bytes, and nothing that builds a package but what they name.
LOCKED := install --disable-pip-version-check --require-hashes --no-deps --no-build-isolation
EDITABLE := install --disable-pip-version-check --no-deps --no-build-isolation --editable .

.PHONY: setup demo test test-long test-lowest test-newest lint bench lock clean

setup: $(STAMP)  ## make the virtual environment and install everything

$(BASE): requirements/build.txt
	@echo "== A virtual environment in $(VENV), and what builds packages"
# Debian keeps a part of venv in a package of its own; the machine's pip can put itself in its place.
	$(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(BIN)/python $(LOCKED) -r requirements/build.txt
	@touch $@

$(SHOW): $(BASE) requirements/demo.txt pyproject.toml
	@echo "== twinlens, and what the demo draws its pictures with (about 90 packages)"
	$(BIN)/python -m pip $(LOCKED) -r requirements/demo.txt
	$(BIN)/python -m pip $(EDITABLE)
	@touch $@

$(STAMP): $(BASE) requirements/lock.txt pyproject.toml $(GENAI2) tests/sdk/js/node_modules
	@echo "== twinlens, its extras, and what tests and checks it (about 120 packages)"
	$(BIN)/python -m pip $(LOCKED) -r requirements/lock.txt
	$(BIN)/python -m pip $(EDITABLE)
	@touch $@ $(SHOW)

$(GENAI2): $(BASE) requirements/genai2.txt
	@echo "== Google's Python client of the line before, in a folder of its own"
	rm -rf $@
	$(BIN)/python -m pip $(LOCKED) --target $@ -r requirements/genai2.txt
	@touch $@

tests/sdk/js/node_modules: tests/sdk/js/package-lock.json
	@echo "== The JavaScript clients"
	@if command -v npm; then npm ci --prefix tests/sdk/js --ignore-scripts --no-audit --no-fund \
		--fetch-timeout=60000 --fetch-retries=1; fi \
		|| echo "npm is missing or cannot install: the JavaScript clients' tests are left out."
	@mkdir -p $@ && touch $@

demo: $(SHOW)  ## start a server and put real pictures through it
	$(BIN)/python demo/demo.py

test: $(STAMP)  ## run the tests, all but the long ones; PYTEST passes options on
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(PYTEST)

test-long: $(STAMP)  ## run the long ones: hundreds of kills, power cuts and damaged files
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m long $(PYTEST)

test-lowest: $(GENAI2) tests/sdk/js/node_modules  ## run the tests on the lowest versions that pyproject.toml allows
	$(PYTHON) -m venv --without-pip $(VENV)/lowest
	$(PYTHON) -m pip --python $(VENV)/lowest/bin/python $(LOCKED) -r requirements/build.txt
	$(VENV)/lowest/bin/python -m pip $(LOCKED) -r requirements/lowest.txt
	$(VENV)/lowest/bin/python -m pip $(EDITABLE)
	$(VENV)/lowest/bin/python -m pytest $(SIDE_BY_SIDE) $(PYTEST)

test-newest: $(GENAI2) tests/sdk/js/node_modules  ## run the tests on the newest versions that it allows, unlocked
	$(PYTHON) -m venv --without-pip $(VENV)/newest
	$(PYTHON) -m pip --python $(VENV)/newest/bin/python $(LOCKED) -r requirements/build.txt
	$(VENV)/newest/bin/python -m pip install --upgrade --upgrade-strategy eager --editable '.[speech,youtube]' --group dev
	$(VENV)/newest/bin/python -m pytest $(SIDE_BY_SIDE) $(PYTEST)

lint: $(STAMP)  ## check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(STAMP)  ## measure; each benchmark also runs alone
	$(BIN)/python bench/latency.py
	$(BIN)/python bench/ingest.py
	$(BIN)/python bench/budgets.py
	$(BIN)/python bench/encode.py
	$(BIN)/python bench/sharing.py
	$(BIN)/python bench/reading.py
	$(BIN)/python bench/again.py
	$(BIN)/python bench/fairness.py
	$(BIN)/python bench/interactions.py
	$(BIN)/python bench/uploads.py
	$(BIN)/python bench/video.py
	$(BIN)/python bench/sound.py
	$(BIN)/python bench/pages.py
	$(BIN)/python bench/standstill.py

# One resolution for every Python from the oldest on. lock.txt is the whole; build.txt and demo.txt are parts of it.
RESOLVE = $(VENV)/lock/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--upgrade --no-annotate --custom-compile-command "make lock"
PRODUCT := pyproject.toml --extra youtube --extra speech

lock:  ## renew the locks: the newest versions that pyproject.toml allows
	$(PYTHON) -m venv --without-pip $(VENV)/lock
	$(PYTHON) -m pip --python $(VENV)/lock/bin/python install 'uv>=0.13,<0.14'
	$(RESOLVE) $(PRODUCT) --group dev -o requirements/lock.txt
	$(RESOLVE) --group build -c requirements/lock.txt -o requirements/build.txt
	$(RESOLVE) pyproject.toml --group build --group demo -c requirements/lock.txt -o requirements/demo.txt
	$(RESOLVE) --group genai2 -o requirements/genai2.txt
# The lowest is meant for users: what tests and builds is the newest there, too.
	$(RESOLVE) $(PRODUCT) --resolution lowest-direct -o $(VENV)/lock/lowest.txt
	$(RESOLVE) $(PRODUCT) --group dev -c $(VENV)/lock/lowest.txt -o requirements/lowest.txt
	npm install --prefix tests/sdk/js --package-lock-only --ignore-scripts --no-audit --no-fund

clean:  ## remove what set-up and runs have made
	rm -rf $(VENV) tests/sdk/js/node_modules demo-output
