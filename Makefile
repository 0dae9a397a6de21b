# One verb a line. `make up` is all that a new machine needs.
.PHONY: up day setup lock generate docs check tools test clean
SHELL := /bin/bash
PY := .venv/bin/python
export ONEBOOK_HOME ?= $(CURDIR)/.onebook
export UV_COMPILE_BYTECODE := 1
export UV_SYSTEM_CERTS := 1
unexport PYTHONDONTWRITEBYTECODE

up: setup ## one simulated business day through everything, then the Dagster UI on 127.0.0.1:3000
	@.venv/bin/onebook day --fresh --serve

day: setup ## the same day without the UI; exits 0 only if every product and blocking check passed
	@.venv/bin/onebook day --fresh

setup: .venv/.ready ## everything the other verbs need, and nothing else

.venv/.ready: requirements.lock pyproject.toml
	@echo "Setting up .venv (one to three minutes on a new machine)"
	@test -x $(PY) || python3 -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@.venv/bin/uv pip sync --require-hashes --quiet requirements.lock
	@.venv/bin/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

lock: ## resolve pyproject.toml into requirements.lock
	.venv/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet --extra dev pyproject.toml -o requirements.lock

generate: setup ## write what derives from schemas/
	@$(PY) -m schemas.generate

docs: setup ## the warehouse's models and lineage as one HTML page
	@cd dbt_project && ../.venv/bin/dbt docs generate --static --profiles-dir . --target-path "$(ONEBOOK_HOME)/warehouse/docs" --quiet
	@echo "$(ONEBOOK_HOME)/warehouse/docs/static_index.html"

check: setup ## format, lint, layers, types
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/lint-imports
	@.venv/bin/pyright --warnings

tools: ## what some tests need beyond Python, where this machine can install it; they say when they miss it
	@command -v strace >/dev/null && ldconfig -p | grep -q libfuse.so.2 || { \
		command -v apt-get >/dev/null && test "$$(id -u)" = 0 && \
		{ apt-get install -y -qq strace libfuse2 || { apt-get update -qq; apt-get install -y -qq strace libfuse2; }; }; \
	} >/dev/null 2>&1 || true

test: check tools ## everything that CI runs
	@.venv/bin/pytest

clean: ## forget the simulated day
	@rm -rf "$(ONEBOOK_HOME)"
