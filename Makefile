# GNU make 3.81 or newer; relative paths only, so that a folder's name may hold a space.
# Without make: README.md and CONTRIBUTING.md have the command behind each target.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
BIN := .venv/bin
SCENARIO ?= postgres_outage
STACK ?= local
TRIALS ?= 1
EVENTS ?= 1000000
# The Pythons that `make wheels` tries, and that pyproject.toml names.
PYTHONS ?= 3.11 3.12 3.13 3.14
# Processes that run tests, of which many wait; each has servers of its own. Slow tests have processes of their own, too.
WORKERS ?= 4
SLOW_WORKERS ?= 3
# The parts of `make ci` that run beside the slow tests, one at a time; .ci/run adds those that this machine can run.
BESIDE ?= lint wheel site
EACH_CHANGE := not nightly and not containers and not browser
# The files that have slow tests, and those that have tests that run alone: each process collects all that it is given.
SLOW = $(sort $(shell grep -rlw slow tests --include=test_*.py))
ALONE = $(shell grep -rlw alone $(SLOW))

# Tests and scenarios start hundreds of Python processes: bytecode must be written once, not compiled in each of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup chaos env chaos-full compare quick nightly prove bench bench-checks test coverage test-all test-slow test-alone test-nightly test-containers test-browser golden collect lint format check ci lock wheel wheels site clean

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
	@$(BIN)/shaketable run --profile nightly --junit runs/junit.xml --json runs/results.json; played=$$?; \
	$(BIN)/shaketable run storm --seed $$((0x$$(git rev-parse --short=7 HEAD))) && exit $$played

prove: .venv/installed ## run every seeded bug, then the sound reference: the kill matrix (under 40 minutes; 25 with PROVE="--clean 0"; nightly)
	@$(BIN)/python -m tools.prove $(PROVE)

bench-checks: .venv/installed ## measure check and report on synthetic events (1 minute): make bench-checks [EVENTS=10000000]
	@$(BIN)/python -m bench.checks $(EVENTS)

test: .venv/installed ## run unit tests and tests on real servers (3 minutes)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not slow and not containers and not browser"

coverage: .venv/installed ## run the quick and the slow tests and hold their branch coverage (nightly)
	@$(BIN)/python -m pytest -n $(SLOW_WORKERS) --maxschedchunk 1 -m "not alone and $(EACH_CHANGE)" --cov

bench: .venv/installed ## measure the rates of the reference, also relative to its PostgreSQL; then bench-checks (3 minutes)
	@$(BIN)/python -m bench --json runs/bench.json; reached=$$?; $(BIN)/python -m bench.checks && exit $$reached

test-all: test test-slow test-alone test-nightly ## run the slow tests and the nightly ones too

test-slow: .venv/installed ## run the slow tests, side by side
	@$(BIN)/python -m pytest -n $(SLOW_WORKERS) --maxschedchunk 1 --durations 20 -m "slow and not alone and $(EACH_CHANGE)" $(SLOW)

test-alone: .venv/installed ## run the slow tests that measure times or rates, one by one
	@$(BIN)/python -m pytest --durations 20 -m "slow and alone and $(EACH_CHANGE)" $(ALONE)

test-nightly: .venv/installed ## run the nightly tests: every case of each matrix, the long sweeps (an hour)
	@$(BIN)/python -m pytest -n $(SLOW_WORKERS) --maxschedchunk 1 -m "nightly and not alone and not containers"
	@$(BIN)/python -m pytest -m "nightly and alone and not containers"

test-containers: .venv/installed ## run the tests on servers in containers; needs an engine (under 3 minutes)
	@$(BIN)/python -m pytest -m containers

test-browser: .venv/installed ## test the report, the live page and the site in a real browser; needs chromium (a minute)
	@$(BIN)/python -m pytest -m browser tests/report tests/cli tests/tools

collect: .venv/installed ## import every test once: the processes that run them find its bytecode
	@$(BIN)/python -m pytest -q --collect-only > /dev/null || $(BIN)/python -m pytest -q --collect-only

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

ci: .venv/installed ## run the checks of CI, the slow ones two at a time, and last the tests that measure times
	@$(MAKE) --no-print-directory collect test
	@$(MAKE) --no-print-directory -j 2 test-slow $(BESIDE)
	@$(MAKE) --no-print-directory test-alone

wheel: .venv/installed ## build the wheel, install it elsewhere, and run a scenario from there
	@sh tools/try_wheel.sh $(BIN)/python

wheels: .venv/installed ## try the wheel with every supported Python that this machine has (2 minutes each; nightly)
	@sh tools/try_wheel.sh $(BIN)/python $(PYTHONS)

site: .venv/installed ## build the documentation site into site/; a broken link is an error (10 s)
	@$(BIN)/python -m tools.site

lock: .venv/installed ## pin all dependencies; the file holds no registry address
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --all-extras \
		--no-header pyproject.toml -o requirements.lock
	@for of in reference_impl/requirements compose/locust tools/site/requirements; do $(BIN)/uv pip compile --quiet --universal --no-header \
		--python-version 3.11 --generate-hashes --constraint requirements.lock $$of.in -o $$of.lock || exit 1; done

clean: ## remove .venv, runs and caches
	@rm -rf .venv runs dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "shaketable needs Python 3.11 or newer on PATH: install it, or name one with PYTHON=…"; exit 1; }
	@echo "installing into .venv (about 30 s)"
	@$(PYTHON) -m venv .venv
	@sh tools/compile_toxiproxy.sh & $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
		--require-hashes --only-binary :all: -r requirements.lock; installed=$$?; wait; exit $$installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -qq -j 0 -x 'site-packages/.*/tests/' .venv/lib || true # on all cores; pip uses one
	@touch .venv/installed
