# Tickwire's commands; `make` alone lists them. Everything is installed into this folder (.venv, node_modules).
PYTHON ?= $(shell command -v python3 || command -v python3.11 || echo python3)
SETUP = $(PYTHON) tools/setup.py
VENV = .venv/bin/python

.PHONY: help run test style types arrows unit journeys servers kills postgres postgres-journeys js browser simulate trials bench format lock docs-errors

help: ## list these commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' Makefile | awk -F'|' '{printf "make %-18s %s\n", $$1, $$2}'
run: ## set up and serve on 127.0.0.1:8080; ARGS="…" goes to manage.py serve
	@$(SETUP) run && exec $(VENV) manage.py serve $(ARGS)
test: ## set up and run every check below, with the time each part takes
	@$(SETUP) test && exec $(VENV) -m tools.check
style: ## ruff: lint and format
	@$(SETUP) test && exec $(VENV) -m tools.check $@
types: ## mypy, strict
	@$(SETUP) test && exec $(VENV) -m tools.check $@
arrows: ## import-linter: who may import whom
	@$(SETUP) test && exec $(VENV) -m tools.check $@
unit: ## unit and law tests on SQLite and the in-memory layer
	@$(SETUP) test && exec $(VENV) -m tools.check $@
journeys: ## real server processes on SQLite, real clients
	@$(SETUP) test && exec $(VENV) -m tools.check $@
servers: ## journeys that start and end servers, on SQLite: replays, signals, hostile clients
	@$(SETUP) test && exec $(VENV) -m tools.check $@
kills: ## twenty killed processes on SQLite; PostgreSQL's are among its journeys
	@$(SETUP) test && exec $(VENV) -m tools.check $@
postgres: ## the unit and law tests again on real PostgreSQL and Valkey
	@$(SETUP) test && exec $(VENV) -m tools.check $@
postgres-journeys: ## the journeys again, as several processes on PostgreSQL and Valkey
	@$(SETUP) test && exec $(VENV) -m tools.check $@
js: ## the JavaScript's tests in Node
	@$(SETUP) test && exec $(VENV) -m tools.check $@
browser: ## the pages in real Chromium
	@$(SETUP) test && exec $(VENV) -m tools.check $@
simulate: ## the engine under random fire for about a minute; ARGS="…" goes to python -m simulation
	@$(SETUP) test && exec $(VENV) -m simulation $(ARGS)
trials: ## a million simulated commands, ten planted faults, 400 killed servers: an hour or so, kept in docs/trials
	@$(SETUP) test && exec $(VENV) -m tools.trials $(TRIALS)
bench: ## how fast ticks reach sockets, beside other servers: some 20 minutes; ARGS="…" goes to python -m benchmarks.fanout
	@$(SETUP) bench && exec $(VENV) -m benchmarks.fanout $(ARGS)
format: ## let ruff put the code in order
	@$(SETUP) test && $(VENV) -m ruff check --fix . && exec $(VENV) -m ruff format .
lock: ## write requirements/*.txt and package-lock.json anew from what is asked for
	@$(SETUP) lock && exec $(VENV) -m tools.lock
docs-errors: ## write docs/errors.md from the registry of codes
	@$(SETUP) run && exec $(VENV) -m tools.docs_errors
