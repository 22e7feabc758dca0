# Everything one does with a checkout. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The environment's own Python when there is one, else the first that is new enough, else whatever says why it will not do.
PYTHON ?= $(shell for p in .venv/bin/python python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$p -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; exit; fi; done; echo python3)
BIN := .venv/bin

.PHONY: help venv venv-dev demo up down test check lock clean-data bench campaign

help: ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

venv: ## make the environment that the programs need (instant when it is there)
	@$(PYTHON) punctual/bootstrap.py

venv-dev: ## make the environment that the tests need
	@$(PYTHON) punctual/bootstrap.py --dev

demo: venv ## the whole system with traffic one can watch; Ctrl-C ends it
	@$(BIN)/punctual demo $(ARGS)

up: venv ## start the whole system in the background
	@$(BIN)/punctual up $(ARGS)

down: venv ## end it
	@$(BIN)/punctual down

test: venv-dev promtool check-style ## everything: check, integration, conformance, acceptance; starts the servers it needs
ifneq ($(strip $(ARGS)),)
	@$(BIN)/pytest $(ARGS)
else
	@said=$$(mktemp); $(BIN)/pytest $(BESIDE) > "$$said" 2>&1 & beside=$$!; \
	trap 'kill $$beside 2>/dev/null || true; rm -f "$$said"' EXIT; \
	failed=0; $(BIN)/pytest $(OTHERS) || failed=$$?; \
	wait $$beside || failed=$$?; \
	cat "$$said"; exit $$failed
endif

# Two processes for two cores, about as long each. The second one begins with what needs no server, so that it finds what the
# first one downloads.
BESIDE ?= tests/unit tests/model $(addprefix tests/integration/,intake notifier quality_audit punctual shared)
OTHERS ?= $(addprefix --ignore ,$(BESIDE))

check: venv-dev promtool check-style ## format, lint, types, imports and unit tests; seconds, no server
	@$(BIN)/pytest -q tests/unit

.PHONY: promtool
promtool:
	-@deploy/prometheus/get-promtool.sh >/dev/null  # the test of the alert rules says what to do when it is missing

campaign: venv-dev ## hours of faults, logs and calls: ARGS="engine --seeds 10000", "kills --kills 500", "door --faults 500", "worktime", "replay", "openapi --cases 100000"
	@$(BIN)/python -m tests.campaign.$(or $(ARGS),engine)

.PHONY: check-style
check-style: venv-dev
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

COMPILE := .venv/lock-tools/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-header --no-annotate
PARTS := punctual/local/parts

lock: venv-dev ## resolve all versions anew and write the locks with their hashes
	@$(BIN)/python -m venv --clear .venv/lock-tools
	@.venv/lock-tools/bin/pip install --quiet uv
	@$(COMPILE) --upgrade --extra build --output-file requirements.lock pyproject.toml
	@$(COMPILE) --upgrade --extra build --extra dev --output-file requirements-dev.lock pyproject.toml
	@for part in java postgres; do \
		grep -o '^[^ ]*==[^ ]*' $(PARTS)/$$part.lock | $(COMPILE) --no-deps --output-file $(PARTS)/$$part.lock - ; done
	@$(BIN)/python -m punctual.local.parts.relock

clean-data: venv ## forget the data, logs and secrets of the local system (downloads stay)
	@$(BIN)/punctual down --forget

bench: venv-dev ## the benchmarks, on a system of their own
	@$(BIN)/python -m bench $(ARGS)
