# Everything a person or a CI job does with this project is a target here; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Nothing but the lock is resolved, and nothing is built: pip before 23.3 would take the newest release for a
# requirement with an extra, and what a package is built with is in no lock.
LOCKED := install --progress-bar off --no-deps --require-hashes --only-binary :all:
FITS := $(PIP) check || { echo "$(VENV) holds packages that do not fit the lock; to make it anew: rm -r $(VENV)" >&2; exit 1; }

# What generates clients, in environments of its own.
CLIENTS := .clients

# Tests that need nothing but Python, and no minutes.
ALONE := "not clients and not haproxy and not prometheus and not slow"
# Their times count, so they run after all others, one at a time.
TIMED := $(addprefix tests/resilience/test_,breaker.py gate.py memory.py promises.py)

.DEFAULT_GOAL := help
.PHONY: help run test lint types unit slow clients balancer operations matrix bench soak image image-check bare-machine locks clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run  ## Start the service over a local MLflow with a sample research session
	$(BIN)/python -m service --sample

test: $(VENV)/.dev lint types unit  ## Install, lint, check types, run every test

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

unit: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m $(ALONE) $(addprefix --ignore ,$(TIMED)) --cov --cov-report= --cov-fail-under=0
	$(BIN)/python -m pytest -m $(ALONE) $(TIMED) --cov --cov-append --cov-report=term

slow: $(VENV)/.dev  ## Test what takes minutes: real MLflows that start, break off and go away, installs, browsing through faults
	$(BIN)/python -m pytest -m slow

clients: $(VENV)/.dev $(CLIENTS)/.installed  ## Generate clients from the OpenAPI document, compile and use them (Node.js 20 and npm)
	$(BIN)/python -m pytest -m clients tests/clients

balancer: $(VENV)/.dev  ## Test replicas behind the HAProxy of config/deploy (apt-get install haproxy)
	$(BIN)/python -m pytest -m haproxy tests/deploy

operations: $(VENV)/.dev  ## Test the alerts and the dashboard of config/deploy (apt-get install prometheus haproxy)
	$(BIN)/python -m pytest -m "prometheus or haproxy" tests/operations

matrix: $(VENV)/.dev  ## Ask eleven MLflows and FastTrackML for the contract, half an hour at first (apt-get install postgresql mariadb-server)
	$(BIN)/python -m tests.matrix $(MATRIX)

bench: $(VENV)/.dev  ## Measure the service against its ceiling and its neighbours, 25 minutes (apt-get install wrk)
	$(PIP) $(LOCKED) --upgrade --target $(VENV)/fasttrackml -r config/locks/bench.txt || echo "FastTrackML is not to be had here"
	$(BIN)/python -m tests.bench --json bench.json

soak: $(VENV)/.dev  ## The promises at full length, half an hour: browsing with faults, each, a deploy (apt-get install haproxy)
	$(BIN)/python -m tests.resilience.soak --minutes 20
	ROLLING_ROUNDS=2 ROLLING_DRAIN_SECONDS=5 $(BIN)/python -m pytest -q tests/deploy/test_rolling_restart.py

image:  ## Build the container image (docker, podman or buildah)
	config/image/build

image-check:  ## Build the image on a Debian base without a container engine, start it and check it (as root)
	config/image/check

COMPILE := uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header
bare-machine:  ## What a newcomer does, on a bare Debian 12 and 13 (as root; apt-get install debootstrap)
	config/bare-machine bookworm
	config/bare-machine trixie

locks:  ## Resolve the dependencies anew into config/locks/ (needs uv)
	$(COMPILE) --all-extras pyproject.toml -o config/locks/dev.txt
	$(COMPILE) --extra embedded -c config/locks/dev.txt pyproject.toml -o config/locks/run.txt
	$(COMPILE) --extra jwt --extra otel -c config/locks/dev.txt pyproject.toml -o config/locks/runtime.txt
	echo cyclonedx-bom | $(COMPILE) --python-version 3.11 -c config/locks/dev.txt - -o config/locks/sbom.txt
	printf '%s\n' mypy openapi-python-client | \
	  $(COMPILE) --python-version 3.11 -c config/locks/dev.txt - -o config/locks/clients.txt
	npm --prefix tests/clients/typescript update --package-lock-only
	printf '%s\n' mlflow psycopg2-binary | \
	  $(COMPILE) --python-version 3.13 -c config/locks/dev.txt - -o config/deploy/mlflow.txt

clean:  ## Remove the environments, the caches and the local MLflow's data
	rm -rf $(VENV) $(CLIENTS) .matrix data bench.json .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

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

$(CLIENTS)/.installed: $(BIN)/python config/locks/clients.txt tests/clients/typescript/package-lock.json
	@echo "Installing the generators of clients into $(CLIENTS) ..."
	$(BIN)/python -m venv --clear $(CLIENTS)/python
	$(CLIENTS)/python/bin/python -m pip --disable-pip-version-check $(LOCKED) -r config/locks/clients.txt
	$(CLIENTS)/python/bin/python -m pip --disable-pip-version-check check
	@mkdir -p $(CLIENTS)/typescript
	cp tests/clients/typescript/package.json tests/clients/typescript/package-lock.json tests/clients/typescript/.npmrc $(CLIENTS)/typescript
	npm --prefix $(CLIENTS)/typescript ci --ignore-scripts
	@touch $@
