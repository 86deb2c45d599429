# Everything a person or a CI job does with this project is a target here; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Nothing but the lock is resolved, and nothing is built: pip before 23.3 would take the newest release for a
# requirement with an extra, and what a package is built with is in no lock.
LOCKED := install --progress-bar off --no-deps --require-hashes --only-binary :all:
FITS := $(PIP) check || { echo "$(VENV) holds packages that do not fit the lock; to make it anew: rm -r $(VENV)" >&2; exit 1; }

PYTEST := $(BIN)/python -m pytest
TWO := -n 2 --dist loadfile --no-loadscope-reorder
# Tests that need nothing but Python, and no minutes.
ALONE := "not clients and not console and not fleet and not haproxy and not prometheus and not slow"
# What drives a browser is no part of the locked environment; the browser is the machine's, of Debian or another.
BROWSER := $(BIN)/python -m tests.console.chromium
# What generates clients, in environments of its own.
CLIENTS := .clients
# What is done while you look on: the rooms of the service over a fake MLflow.
QUICK := "not clients and not console and not fleet and not haproxy and not prometheus and not slow and not live and not thorough"
ROOMS := $(addprefix tests/,api auth cache fakes http settings telemetry tracking upstream test_architecture.py)
# What is slow to import, and so is left to `make test`.
HEAVY := tests/api/test_schemathesis.py tests/tracking/analysis/test_oracles.py
# What needs a real store.
STORES := $(addprefix tests/,store deploy/test_store.py fleet)
# Their times count, so they run after all others, one at a time.
TIMED := $(addprefix tests/resilience/test_,memory.py promises.py)

.DEFAULT_GOAL := help
.PHONY: help run quick test lint types unit coverage console hooks clean nightly slow console-all figures clients balancer \
  fleet fleet-all operations soak matrix wheel screenshots newest pythons bare-machine bench image image-check locks

help:  ## List the targets; what one needs is a package of Debian's: apt-get install …
	@awk -F ':.*## ' '/^##@ / {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' \
	  $(MAKEFILE_LIST)

##@ Every day
run: $(VENV)/.run  ## Start the service over a local MLflow with a sample research session
	$(BIN)/python -m service --sample

quick: lint types  ## Before a commit, 40 seconds: lint, types, what is pure, the API over a fake MLflow
	$(PYTEST) $(TWO) -q -p no:schemathesis --hypothesis-profile quick -m $(QUICK) $(addprefix --ignore ,$(HEAVY)) $(ROOMS)

test: lint types unit  ## Before a push, 5 to 9 minutes: all that proves the contract and needs nothing but Python

lint: $(VENV)/.dev  ## Rules, format and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: $(VENV)/.dev  ## mypy --strict, over service and tests
	$(BIN)/mypy

unit: $(VENV)/.dev  ## The tests of `make test`
	$(PYTEST) $(TWO) -m $(ALONE) $(addprefix --ignore ,$(TIMED))
	$(PYTEST) -m $(ALONE) $(TIMED)

coverage: $(VENV)/.dev  ## The same, and that they cover 95 % of the branches of service/; takes a third longer
	$(PYTEST) $(TWO) -m $(ALONE) $(addprefix --ignore ,$(TIMED)) --cov --cov-report= --cov-fail-under=0
	$(PYTEST) -m $(ALONE) $(TIMED) --cov --cov-append --cov-report=term

console: $(VENV)/.console  ## The pages of the console in a real browser, their quick part, 3 minutes (needs chromium)
	@$(BROWSER)
	$(PYTEST) $(TWO) -q -m "console and not slow" tests/console

hooks: $(VENV)/.dev  ## Have git run ruff and the checks of files before each commit, and mypy before each push
	$(BIN)/pre-commit install --hook-type pre-commit --hook-type pre-push

clean:  ## Remove the environments, the caches and the local MLflow's data
	rm -rf $(VENV) $(CLIENTS) .lighthouse .pythons .matrix data dist bench.json .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

##@ Before a release, and each night
MINUTES ?= 20
nightly: MINUTES := 10
nightly: slow console-all figures clients balancer fleet-all operations wheel newest pythons soak  ## What `make test` has no time for, down to soak: an hour and a half

slow: $(VENV)/.dev  ## What takes minutes: real MLflows that come and go, installs, made-up requests at length
	$(PYTEST) -m "slow and not console and not fleet"
	$(PYTEST) $(TWO) --hypothesis-profile long -m "hypothesis and not slow and not clients and not console and not fleet" $(addprefix --ignore ,$(TIMED))

console-all: $(VENV)/.console  ## All tests of the console: each page in each state, as each reader sees it (needs chromium)
	@$(BROWSER)
	$(PYTEST) $(TWO) -m console tests/console

figures: $(VENV)/.console  ## Measure the console, on a machine at rest: bytes, times, frames, memory (needs chromium)
	@$(BROWSER)
	$(BIN)/python -m tests.console.figures

clients: $(VENV)/.dev $(CLIENTS)/.installed  ## Generate clients from the OpenAPI document, compile and use them (needs nodejs 20 and npm)
	$(PYTEST) -m clients tests/clients

balancer: $(VENV)/.dev  ## Replicas behind the HAProxy of config/deploy (needs haproxy)
	$(PYTEST) -m haproxy tests/deploy

fleet: $(VENV)/.dev $(VENV)/valkey/.installed  ## Replicas that share a store: their promises, the quick part, 3 minutes (needs redis-server haproxy)
	$(PYTEST) -m "fleet and not slow" $(STORES)

fleet-all: $(VENV)/.dev $(VENV)/valkey/.installed  ## All of them: 10,000 reads, 1,000 streams, 100,000 runs (needs redis-server haproxy)
	$(PYTEST) -m fleet $(STORES)

operations: $(VENV)/.dev  ## The alerts and the dashboard of config/deploy (needs prometheus haproxy)
	$(PYTEST) -m "prometheus or haproxy" tests/operations

wheel: $(VENV)/.dev  ## Build dist/, install the wheel into an environment of its own and test it there
	config/wheel $(BIN)/python

newest: $(BIN)/python  ## Test over the newest releases that pyproject.toml admits, instead of the locked ones
	rm -rf .pythons/newest
	$(BIN)/python -m venv .pythons/newest
	.pythons/newest/bin/python -m pip install --progress-bar off --editable '.[dev,embedded,jwt,otel,store]'
	.pythons/newest/bin/python -m pip list --format freeze | grep '^aiohttp=='
	.pythons/newest/bin/python -m pytest $(TWO) -m $(ALONE) $(addprefix --ignore ,$(TIMED))

pythons:  ## Test on each Python from 3.11 to 3.14 that is here, on its PATH, of pyenv or of uv
	config/pythons unit

soak: $(VENV)/.dev  ## The promises at full length, and MINUTES=20 of browsing through faults (needs haproxy)
	$(BIN)/python -m tests.resilience.soak --minutes $(MINUTES)
	ROLLING_ROUNDS=2 ROLLING_DRAIN_SECONDS=5 $(PYTEST) -q tests/deploy/test_rolling_restart.py

matrix: $(VENV)/.dev  ## The contract over eleven MLflows and FastTrackML, half an hour (needs postgresql mariadb-server)
	$(BIN)/python -m tests.matrix $(MATRIX)

bare-machine:  ## A newcomer on a bare Debian 12 and 13, the tests on Python 3.14 (as root; needs debootstrap)
	config/bare-machine bookworm
	config/bare-machine trixie
	config/bare-machine forky make test

##@ Builds and figures
bench: $(VENV)/.dev  ## Measure the service against its ceiling and its neighbours, an hour (needs wrk)
	$(PIP) $(LOCKED) --upgrade --target $(VENV)/fasttrackml -r config/locks/bench.txt || echo "FastTrackML is not to be had here"
	$(BIN)/python -m tests.bench --json bench.json

screenshots: $(VENV)/.console  ## Take the pictures of the console that README and docs show (needs chromium)
	@$(BROWSER)
	$(BIN)/python -m tests.console.screenshots docs/screenshots

image:  ## Build the container image (docker, podman or buildah)
	config/image/build

image-check:  ## Build the image on a Debian base without a container engine, start it and check it (as root)
	config/image/check

COMPILE := uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header
locks:  ## Resolve the dependencies anew into config/locks/ (needs uv)
	$(COMPILE) --all-extras pyproject.toml -o config/locks/dev.txt
	$(COMPILE) --extra embedded -c config/locks/dev.txt pyproject.toml -o config/locks/run.txt
	$(COMPILE) --extra jwt --extra otel --extra store -c config/locks/dev.txt pyproject.toml -o config/locks/runtime.txt
	echo cyclonedx-bom | $(COMPILE) --python-version 3.11 -c config/locks/dev.txt - -o config/locks/sbom.txt
	echo playwright | $(COMPILE) --python-version 3.11 -c config/locks/dev.txt - -o config/locks/console.txt
	printf '%s\n' mypy openapi-python-client | \
	  $(COMPILE) --python-version 3.11 -c config/locks/dev.txt - -o config/locks/clients.txt
	cd tests/clients/typescript && npm update --package-lock-only
	printf '%s\n' mlflow psycopg2-binary | \
	  $(COMPILE) --python-version 3.13 -c config/locks/dev.txt - -o config/deploy/mlflow.txt

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; choose one with: make PYTHON=python3.13 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Could not make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.run: $(BIN)/python config/locks/run.txt
	@echo "Installing the service and a local MLflow into $(VENV) (about a minute) ..."
	$(PIP) $(LOCKED) -r config/locks/run.txt
	@$(FITS)
	@touch $@

$(VENV)/.dev: $(BIN)/python config/locks/dev.txt
	@echo "Installing the service, a local MLflow and the test tools into $(VENV) (about a minute) ..."
	$(PIP) $(LOCKED) -r config/locks/dev.txt
	$(PIP) install --progress-bar off --no-deps --no-build-isolation --editable .
	@$(FITS)
	@touch $@ $(VENV)/.run

$(VENV)/.console: $(VENV)/.dev config/locks/console.txt
	@echo "Installing what drives a browser into $(VENV) ..."
	$(PIP) $(LOCKED) -r config/locks/console.txt
	@$(FITS)
	@touch $@

# A valkey-server, which Debian 12 has not.
$(VENV)/valkey/.installed: $(BIN)/python config/locks/valkey.txt
	$(PIP) $(LOCKED) --upgrade --target $(VENV)/valkey -r config/locks/valkey.txt
	@touch $@

$(CLIENTS)/.installed: $(BIN)/python config/locks/clients.txt tests/clients/typescript/package-lock.json
	@echo "Installing the generators of clients into $(CLIENTS) ..."
	$(BIN)/python -m venv --clear $(CLIENTS)/python
	$(CLIENTS)/python/bin/python -m pip --disable-pip-version-check $(LOCKED) -r config/locks/clients.txt
	$(CLIENTS)/python/bin/python -m pip --disable-pip-version-check check
	@mkdir -p $(CLIENTS)/typescript
	cp tests/clients/typescript/package.json tests/clients/typescript/package-lock.json tests/clients/typescript/.npmrc $(CLIENTS)/typescript
	cd $(CLIENTS)/typescript && npm ci --ignore-scripts  # not --prefix: npm would look there for the settings of the machine
	@touch $@
