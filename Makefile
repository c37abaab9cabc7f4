# Everything a person or CI runs. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
# Whose settings are read over settings.toml: those of settings.$(ENVIRONMENT).toml.
ENVIRONMENT := $(or $(ENVIRONMENT),$(CAUSEWAY_ENVIRONMENT))
BIN := $(VENV)/bin
# The tools of this checkout come first: its python, node and npm.
export PATH := $(CURDIR)/$(BIN):$(PATH)
INSTALLED := $(VENV)/.installed
READERS := $(VENV)/readers/.installed
SITE := $(VENV)/site/.installed
CHECKOV := $(VENV)/checkov/.installed
PROFILERS := $(VENV)/profilers/.installed
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
BROWSER := tests/browser/node_modules/.installed

.PHONY: help install demo test quick lint site synth deploy destroy bench access faults fuzz wheels sbom audit clean lock

help: ## List what make can do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(INSTALLED) ## Install everything into this checkout, locked and hashed

$(INSTALLED): requirements.txt requirements-uv.txt package-lock.json pyproject.toml
	@echo "▸ Installing Python packages, Node, a JDK and Spark into .venv, the CDK command line into node_modules"
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("make: Python 3.11 or newer is needed, found %s: name another, as in make PYTHON=python3.13 …" % sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python requirements.txt requirements-uv.txt
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@$(BIN)/npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

demo: $(INSTALLED) ## Run the real thing on an AWS embedded in this machine (KEEP=1 leaves it up)
	@$(BIN)/python -m local.demo

# Environments of their own, since their pins are not ours.
$(READERS): tests/readers/requirements.txt
$(SITE): docs/site/requirements.txt
$(CHECKOV): tests/stacks/checkov/requirements.txt
$(PROFILERS): bench/profilers/requirements.txt
$(VENV)/%/.installed: $(INSTALLED)
	@echo "▸ Installing $* into .venv/$*"
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(VENV)/$*
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(VENV)/$*/bin/python $(filter %/requirements.txt,$^)
	@touch $@

$(BROWSER): $(INSTALLED) tests/browser/package-lock.json
	@echo "▸ Installing a browser that looks at pages into tests/browser/node_modules"
	@cd tests/browser && npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

test: $(INSTALLED) $(READERS) $(BROWSER) ## Run every test
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadgroup

quick: $(INSTALLED) ## Run the tests that need neither Spark nor the embedded AWS
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadgroup -m quick

lint: $(INSTALLED) $(CHECKOV) site ## Check style, types, who imports whom, links of the documentation, workflow files, templates and state machines
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/check-jsonschema --quiet --schemafile docs/settings.schema.json settings.toml
	@$(BIN)/check-jsonschema --quiet --schemafile docs/contract.schema.json contracts/*.yaml
	@$(BIN)/check-jsonschema --quiet --schemafile docs/settings.environment.schema.json settings.*.toml
	@$(BIN)/python -m tests.stacks.lint

site: $(SITE) ## Make the documentation's site in build/site; a link that leads nowhere is an error
	@$(VENV)/site/bin/sphinx-build --quiet --fail-on-warning --keep-going docs build/site

synth deploy destroy: export CAUSEWAY_ENVIRONMENT := $(ENVIRONMENT)

synth: $(INSTALLED) ## Synthesize the templates into build/cdk.out; needs no credentials (ENVIRONMENT=staging: by settings.staging.toml)
	@{ node_modules/.bin/cdk synth --quiet 2>&1 1>&3 | sed '/python app.py: Subprocess exited/d' >&2; } 3>&1

deploy: synth ## Deploy to the account that the environment's credentials name: the company's, or the partner's; shows the changes and asks (YES=1 answers)
	@$(BIN)/python -m local.deploy

destroy: $(INSTALLED) ## Remove from that account everything the sandbox deployment made (YES=1 answers)
	@$(BIN)/python -m local.destroy

bench: $(INSTALLED) $(PROFILERS) ## Measure against peers on the same input (ARGS="--mb 200 --runs 1" …), and from landed to visible
	@$(BIN)/python -m bench $(ARGS)
	@$(BIN)/python -m bench.profiles
	@$(BIN)/python -m bench.latency

access: $(INSTALLED) ## Prove who may do what, action by action
	@$(BIN)/python -m tests.access

faults: $(INSTALLED) ## Break things on purpose, and count what does not hold (ARGS=--full for thousands of cases)
	@$(BIN)/python -m tests.faults $(ARGS)

fuzz: $(INSTALLED) ## Look for values that come out wrong (ARGS="--minutes 30")
	@$(BIN)/python -m tests.fuzz $(ARGS)

wheels: $(INSTALLED) ## Write the Glue jobs' modules into one file, for jobs without the internet
	@rm -rf build/wheels && mkdir -p build/wheels
	@$(BIN)/python -m pip download --quiet --no-deps --require-hashes --only-binary=:all: --python-version 3.13 \
	  --platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64 --platform any \
	  -r glue_jobs/requirements-profile.txt -d build/wheels
	@cp glue_jobs/requirements-profile.txt build/wheels/requirements.txt
	@cd build/wheels && $(CURDIR)/$(BIN)/python -m zipfile -c ../causeway-$(VERSION)-0.gluewheels.zip *
	@echo "build/causeway-$(VERSION)-0.gluewheels.zip: copy it to S3 and name it in settings.toml (job_modules)"

sbom: $(INSTALLED) ## Write bills of materials into build/
	@mkdir -p build
	@$(BIN)/cyclonedx-py requirements requirements.txt -o build/sbom-python.json
	@npm sbom --package-lock-only --sbom-format cyclonedx > build/sbom-node.json

audit: $(INSTALLED) ## Check the locked packages for known vulnerabilities (needs the internet)
	@$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements.txt
	@npm audit --audit-level=high

lock: ## Resolve the pinned requirements again, with hashes
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements.in -o requirements.txt
	@for job in requirements requirements-profile; do \
	  $(BIN)/uv pip compile --quiet --python-version 3.13 --python-platform x86_64-manylinux_2_28 --generate-hashes --no-header -c requirements.txt glue_jobs/$$job.in -o glue_jobs/$$job.txt; done
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header tests/readers/requirements.in -o tests/readers/requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header docs/site/requirements.in -o docs/site/requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header tests/stacks/checkov/requirements.in -o tests/stacks/checkov/requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header bench/profilers/requirements.in -o bench/profilers/requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header -c requirements.txt ml/requirements.in -o ml/requirements.txt
	@$(BIN)/uv pip compile --quiet --python-version 3.13 --python-platform aarch64-manylinux_2_28 --generate-hashes --no-header -c requirements.txt lambdas/predict/requirements.in -o lambdas/predict/requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header -c requirements.txt partner_kit/requirements.in -o partner_kit/requirements.txt
	@npm install --package-lock-only --silent --no-audit --no-fund

clean: ## Remove what was built; `rm -rf .venv node_modules` removes what was installed
	@rm -rf build .pytest_cache .hypothesis .mypy_cache .ruff_cache
