# GNU make 3.81 or newer; relative paths only, so that a folder's name may hold a space.
# Without make: README.md and CONTRIBUTING.md have the command behind each target.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
BIN := .venv/bin
SCENARIO ?= postgres_outage
STACK ?= local
TRIALS ?= 1
# Processes that run tests; each has servers of its own.
WORKERS ?= 3

# Tests and scenarios start hundreds of Python processes: bytecode must be written once, not compiled in each of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup chaos env chaos-full compare quick nightly prove bench bench-checks test test-all test-slow test-containers test-browser golden lint format check ci lock wheel clean

help: ## show this help
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /\1	/' | expand -t 17

setup: .venv/installed ## install everything into .venv (30 s), and build Toxiproxy once (30 s)
	@$(BIN)/shaketable doctor

chaos: .venv/installed ## run a scenario against the reference: make chaos [SCENARIO=calm] [STACK=containers|compose]
	@$(BIN)/shaketable run $(SCENARIO) --stack $(STACK)

env: ## write .env: passwords for docker-compose.chaos.yml, once
	@sh compose/env.sh

chaos-full: .venv/installed ## run every scenario except the nightly ones, a minute each, with one table: make chaos-full [SEED=2]
	@$(BIN)/shaketable run --all $(if $(SEED),--seed $(SEED))

compare: .venv/installed ## compare task queues with the reference (hours): make compare [TARGETS="reference rq-defaults"] [SCENARIOS=calm] [TRIALS=3]
	@$(BIN)/shaketable compare $(TARGETS) $(if $(SCENARIOS),--scenarios $(SCENARIOS)) --trials $(TRIALS)

quick: .venv/installed ## run the profile for pull requests (5 minutes): JUnit and JSON in runs/
	@$(BIN)/shaketable run --profile quick --junit runs/junit.xml --json runs/results.json

nightly: .venv/installed ## run every scenario, with several trials of the quick ones (an hour)
	@$(BIN)/shaketable run --profile nightly --junit runs/junit.xml --json runs/results.json

prove: .venv/installed ## run every seeded bug, then the sound reference: the kill matrix (under 30 minutes; nightly)
	@$(BIN)/python -m tools.prove $(PROVE)

bench-checks: .venv/installed ## measure check and report on a million synthetic events (1 minute)
	@$(BIN)/python -m bench.checks

test: .venv/installed ## run unit tests, tests on real servers, one short scenario (under 3 minutes)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not slow and not containers and not browser"

bench: .venv/installed ## measure the rates of the reference, also relative to its PostgreSQL; then bench-checks (3 minutes)
	@$(BIN)/python -m bench --json runs/bench.json; reached=$$?; $(BIN)/python -m bench.checks && exit $$reached

test-all: test test-slow ## run the slow tests too

test-slow: .venv/installed ## run the slow tests: those that wait side by side, then those that measure, alone
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "slow and not alone and not containers and not browser"
	@$(BIN)/python -m pytest -m "slow and alone and not containers and not browser"

test-containers: .venv/installed ## run the tests on servers in containers; needs an engine (under 3 minutes)
	@$(BIN)/python -m pytest -m containers

test-browser: .venv/installed ## test the report in a real browser; needs chromium (half a minute)
	@$(BIN)/python -m pytest -m browser tests/report

golden: .venv/installed ## write the golden files of all outputs anew, in tests/golden: read the difference before you commit it
	@$(BIN)/python -m pytest -q tests/test_golden.py --update-golden

lint: .venv/installed ## check format, lint, types, layers and style
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache > /dev/null || $(BIN)/lint-imports
	@$(BIN)/python -m tools.style > /dev/null || $(BIN)/python -m tools.style --worst 20

format: .venv/installed ## format the code
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

check: lint test ## run lint and test, before every commit

ci: lint test ## run the checks of CI
	@$(MAKE) --no-print-directory -j 2 test-slow wheel

wheel: .venv/installed ## build the wheel, install it elsewhere, and run `calm` from there
	@sh tools/try_wheel.sh $(BIN)/python

lock: .venv/installed ## pin all dependencies; the file holds no registry address
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --all-extras \
		--no-header pyproject.toml -o requirements.lock
	@for of in reference_impl/requirements compose/locust; do $(BIN)/uv pip compile --quiet --universal --no-header \
		--python-version 3.11 --generate-hashes --constraint requirements.lock $$of.in -o $$of.lock || exit 1; done

clean: ## remove .venv, runs and caches
	@rm -rf .venv runs dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "shaketable needs Python 3.11 or newer on PATH: install it, or name one with PYTHON=…"; exit 1; }
	@echo "installing into .venv (about 30 s)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/installed
