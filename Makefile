# `make demo` to try it, `make start` to use it, `make test` to test it; `make help` lists the rest.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)) python3)
PORT ?= 8000
BIN := .venv/bin
# One process more than there are cores: tests wait a good deal for browsers and workers. Redis has 16 databases.
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
TESTS ?= tests
PYTEST_ARGS ?= -n $(shell expr $(CORES) + 1 \& $(CORES) \< 12 \| 12) --dist worksteal --durations 15

# Settings refuse a weak SECRET_KEY, so checks that only read them take a fresh one.
FRESH_KEY = $$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))')

.PHONY: help demo start test lint format install install-dev finetune-install requirements secrets web worker beat migrate

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

demo: install ## everything on this machine, with content to look at (PORT=8000)
	@$(BIN)/python -m demo --port $(PORT)

start: install ## the product on this machine, for your own work; data stays in DATA_DIR (PORT=8000)
	@$(BIN)/python -m config.start --port $(PORT)

test: install-dev ## every test; on PostgreSQL and Redis where DATABASE_URL and REDIS_URL are set
	@$(BIN)/python -m pytest $(TESTS) $(PYTEST_ARGS)

lint: install-dev ## style, types, import contracts, dead code, templates, Docker files, migrations
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@SECRET_KEY=$(FRESH_KEY) $(BIN)/mypy
	@$(BIN)/lint-imports
	@git ls-files -z -- 'templates/*.html' | xargs -0 $(BIN)/djade --target-version 5.2 --check
	@$(BIN)/djlint templates --lint --quiet
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker/compose.yaml
	@if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint docker/Dockerfile; fi
	@$(BIN)/shellcheck .ci/run
	@$(BIN)/python .ci/dead_code.py
	@SECRET_KEY=$(FRESH_KEY) $(BIN)/python manage.py makemigrations --check --dry-run
	@SECRET_KEY=$(FRESH_KEY) $(BIN)/python manage.py check --deploy --fail-level WARNING

format: install-dev ## put code and templates in their usual form
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	@git ls-files -z -- 'templates/*.html' | xargs -0 $(BIN)/djade --target-version 5.2

install:
	@$(PYTHON) config/install.py

install-dev:
	@$(PYTHON) config/install.py --dev

finetune-install: ## the environment that fine-tunes models, 1 to 10 GB (FINETUNE_VENV, TORCH)
	@FINETUNE_VENV="$(FINETUNE_VENV)" TORCH="$(TORCH)" $(PYTHON) config/install.py --finetune

requirements: install-dev ## pin the newest allowed packages by hash
	@$(BIN)/python -m pip install --quiet uv
	@for name in requirements requirements-dev; do $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --custom-compile-command "make requirements" $$name.in -o $$name.txt; done
	@echo torch | $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --excludes - --generate-hashes \
		--no-emit-index-url --custom-compile-command "make requirements" requirements-finetune.in -o requirements-finetune.txt

secrets: ## print fresh secrets for an .env file
	@$(PYTHON) config/new_secrets.py

migrate: install ## bring the database up to date and collect static files
	@$(BIN)/python manage.py migrate --noinput && $(BIN)/python manage.py collectstatic --noinput --verbosity 0

web: install ## the web process (HOST, PORT)
	@exec $(BIN)/python -m config.processes web

worker: install ## a worker process
	@exec $(BIN)/python -m config.processes worker

beat: install ## the timer process (one is enough)
	@exec $(BIN)/python -m config.processes beat
