# Every command of the project; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# SITE_URL follows it, so that links lead to the server that runs.
export PORT ?= 8000
WORKERS ?= 2
VENV ?= .venv
BIN := $(VENV)/bin
# The first interpreter that the project supports.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
MANAGE := $(BIN)/python manage.py
PYTEST := $(BIN)/python -m pytest
FILES := shop schema tests benchmarks tools manage.py

SERVICES_DATABASE_URL ?= postgres://postgres@127.0.0.1:5432/test
SERVICES_REDIS_URL ?= redis://127.0.0.1:6379/15
MYSQL_DATABASE_URL ?= mysql://root@127.0.0.1:3306/test

# Images set this to stay small. Here each of a hundred processes would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run serve test test-services test-mysql test-browser test-clients prove mutate bench lint fix types schema openapi erd \
	check lock graphiql reference release-schema

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.runtime .env ## set everything up and serve the shop on PORT (default 8000)
	@echo "Preparing the database ..."
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) seed --port $(PORT)
	@$(MANAGE) runserver 127.0.0.1:$(PORT)

serve: $(VENV)/.runtime .env ## serve as in production on PORT (DEBUG=0, SECRET_KEY and ALLOWED_HOSTS set)
	@$(MANAGE) collectstatic --noinput --verbosity 0
	@exec $(BIN)/granian --interface asginl --http 1 --host 0.0.0.0 --port $(PORT) --workers $(WORKERS) \
		--respawn-failed-workers --respawn-interval 15 --workers-kill-timeout 30 shop.asgi:application

test: $(VENV)/.development .env ## run the whole suite on SQLite, with no service
	@DATABASE_URL=sqlite:///var/test.sqlite3 REDIS_URL= CELERY_BROKER_URL= $(PYTEST) --numprocesses auto --dist loadgroup $(ARGS)

# What waits for processes that it kills, and races, have the machine to themselves.
WHOLE_SUITE = $(if $(ARGS),$(PYTEST) $(ARGS),$(PYTEST) --numprocesses auto --maxprocesses 8 --dist loadgroup \
	--ignore tests/concurrency && $(PYTEST) tests/concurrency)

test-services: export DATABASE_URL = $(SERVICES_DATABASE_URL)
test-services: export REDIS_URL = $(SERVICES_REDIS_URL)
test-services: export CELERY_BROKER_URL =
test-services: $(VENV)/.development .env ## run the same suite on PostgreSQL with Redis
	@$(WHOLE_SUITE)

test-mysql: export DATABASE_URL = $(MYSQL_DATABASE_URL)
test-mysql: export REDIS_URL =
test-mysql: export CELERY_BROKER_URL =
test-mysql: $(VENV)/.development $(VENV)/.mysql .env ## run the same suite on MariaDB or MySQL
	@$(WHOLE_SUITE)

test-browser: $(VENV)/.runtime .env ## open GraphiQL, Swagger UI, the admin and /docs/ in headless Chromium, other hosts blocked
	@tests/browser/run

test-clients: $(VENV)/.runtime .env ## the GraphQL-over-HTTP audits, Apollo, urql, Relay, OpenAPI and code generators (needs Node)
	@tests/clients/run

prove: $(VENV)/.development .env ## the long, full-count proofs; figures go to docs/proof
	@PROVE=1 DATABASE_URL=$(SERVICES_DATABASE_URL) REDIS_URL=$(SERVICES_REDIS_URL) \
		CELERY_BROKER_URL= $(PYTEST) -m prove $(ARGS)

mutate: export SERVICES_REDIS_URL := $(SERVICES_REDIS_URL)
mutate: $(VENV)/.development .env ## change MODULE (default all of targets.toml) in small steps; print what no test notices
	@nice -n 15 $(BIN)/python -m tools.mutation $(MODULE) $(ARGS)

bench: $(VENV)/.bench .venv-strawberry/.installed .env ## measure against others, plot, write benchmarks/results
	@DATABASE_URL=$(SERVICES_DATABASE_URL) $(BIN)/python benchmarks/engine.py
	@DATABASE_URL=$(SERVICES_DATABASE_URL) $(BIN)/python benchmarks/importing.py
	@DATABASE_URL=$(SERVICES_DATABASE_URL) $(BIN)/python benchmarks/servers.py
	@DATABASE_URL=$(SERVICES_DATABASE_URL) $(BIN)/python benchmarks/selling.py
	@DATABASE_URL=$(SERVICES_DATABASE_URL) $(BIN)/python benchmarks/answers.py

lint: $(VENV)/.development .env ## check style, import contracts and migrations
	@$(BIN)/ruff check $(FILES)
	@$(BIN)/ruff format --check $(FILES)
	@$(BIN)/lint-imports --no-cache
	@DEBUG=1 $(MANAGE) makemigrations --check --dry-run

fix: $(VENV)/.development ## mend what the linters can mend
	@$(BIN)/ruff check --fix $(FILES)
	@$(BIN)/ruff format $(FILES)

types: $(VENV)/.development .env ## check types
	@$(BIN)/mypy

schema: $(VENV)/.runtime .env ## write the SDL to schema/schema.graphql, and what changed to docs/
	@$(MANAGE) graphql_schema --out schema/schema.graphql
	@$(BIN)/python -m schema.changes
	@echo "If it has changed: make reference"

release-schema: $(VENV)/.runtime .env ## keep the SDL as that of the version in pyproject.toml
	@$(BIN)/python -m schema.changes release

openapi: $(VENV)/.runtime .env ## record the examples of the OpenAPI document from a sample shop
	@DEBUG=1 DATABASE_URL=sqlite:///var/openapi.sqlite3 REDIS_URL= CELERY_BROKER_URL= $(MANAGE) openapi --examples

erd: $(VENV)/.runtime .env ## draw the entity-relationship diagram into docs/
	@$(MANAGE) erd

check: lint types test ## all that needs no service

lock: ## pin all dependencies anew, from the .in files (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --upgrade requirements.in -o requirements.txt
	@uv pip compile --quiet --universal --python-version 3.11 --upgrade requirements-dev.in -o requirements-dev.txt
	@uv pip compile --quiet --universal --python-version 3.11 --upgrade requirements-bench.in -o requirements-bench.txt
	@uv pip compile --quiet --universal --python-version 3.11 --upgrade requirements-mysql.in -o requirements-mysql.txt
	@uv pip compile --quiet --universal --python-version 3.11 --upgrade benchmarks/requirements-strawberry.in -o benchmarks/requirements-strawberry.txt

reference: ## build the reference at /docs/ into shop/static/docs (needs Node 20 or later)
	@cd reference && npm ci && npm run build

graphiql: ## build GraphiQL into shop/static/graphiql (needs Node 20 or later)
	@cd graphiql && npm ci && npm run build

# --- Set-up: each stamp is made once and again when its list of packages changes ---------------

.env:
	@cp .env.example .env

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt | $(BIN)/python
	@echo "Installing packages ..."
	@$(PIP) -r requirements.txt && touch $@

$(VENV)/.development: requirements-dev.txt $(VENV)/.runtime
	@$(PIP) -r requirements-dev.txt && touch $@

$(VENV)/.mysql: requirements-mysql.txt $(VENV)/.runtime
	@$(PIP) -r requirements-mysql.txt && touch $@

$(VENV)/.bench: requirements-bench.txt $(VENV)/.development
	@$(PIP) -r requirements-bench.txt && touch $@

# Strawberry needs packages of its own beside ours.
.venv-strawberry/.installed: benchmarks/requirements-strawberry.txt
	@$(PYTHON) -m venv .venv-strawberry
	@.venv-strawberry/bin/python -m pip install --quiet --disable-pip-version-check -r $< && touch $@
