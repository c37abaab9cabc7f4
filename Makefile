# Everything a person or CI runs. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tools of this checkout come first: its python, node and npm.
export PATH := $(CURDIR)/$(BIN):$(PATH)
INSTALLED := $(VENV)/.installed

.PHONY: help install demo test lint synth deploy destroy bench clean lock

help: ## List what make can do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(INSTALLED) ## Install everything into this checkout, locked and hashed

$(INSTALLED): requirements.txt requirements-uv.txt package-lock.json
	@$(PYTHON) local/install.py
	@touch $@

demo: $(INSTALLED) ## Run the real thing on an AWS embedded in this machine (KEEP=1 leaves it up)
	@$(BIN)/python -m local.demo

test: $(INSTALLED) ## Run every test
	@$(BIN)/python -m pytest

lint: $(INSTALLED) ## Check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

synth: $(INSTALLED) ## Synthesize the templates into build/cdk.out; needs no credentials
	@node_modules/.bin/cdk synth --quiet

deploy: $(INSTALLED) ## Deploy to the account that the environment's credentials name
	@$(BIN)/python -m local.account deploy

destroy: $(INSTALLED) ## Remove from that account everything the sandbox deployment made
	@$(BIN)/python -m local.account destroy

bench: $(INSTALLED) ## Measure against peers on the same input (ARGS="--size 1GB" …)
	@$(BIN)/python -m bench $(ARGS)

lock: ## Resolve the pinned requirements again, with hashes
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --python-version 3.13 --python-platform x86_64-manylinux_2_28 --generate-hashes --no-header -c requirements.txt glue_jobs/requirements.in -o glue_jobs/requirements.txt
	@npm install --package-lock-only --silent --no-audit --no-fund

clean: ## Remove what was built; `rm -rf .venv node_modules` removes what was installed
	@rm -rf build .pytest_cache .hypothesis .mypy_cache .ruff_cache
