# Everything a person or a machine does with this checkout. `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test check format lock docs pictures wheel bench churn storm chaos syscalls machine scanner nodes simulate zoo mutants clean

PYTHON ?= python3
UV ?= uv
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# universal: one lock for every system and Python; no index, link or machine path is written into it
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command 'make lock'

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready ## make .venv from the locks (again only when a lock changes)

.venv/.ready: requirements/runtime.txt requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Reminders needs Python 3.11 or newer, and '$(PYTHON)' is none. Name one: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12" >&2; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv || { \
	  echo "'$(PYTHON)' cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing what requirements/dev.txt locks"
	@$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@echo "Installing this checkout"
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## run a complete sample clinic with its own mail inbox
	@$(BIN)/reminders demo

test: setup ## run every test but the long forms below
	@$(BIN)/python -m pytest -n auto --dist loadgroup

check: setup ## format, lint, floors, types, dependencies
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/mypy reminders tests benchmarks
	@$(BIN)/deptry .

format: setup ## format the code and mend what can be mended
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

lock: ## work the locks out again from pyproject.toml (needs uv)
	@command -v $(UV) >/dev/null || { echo "'$(UV)' is not here. Install uv, or name it: make lock UV=/path/to/uv" >&2; exit 1; }
	@$(LOCK) pyproject.toml --extra postgresql --extra distributed --output-file requirements/runtime.txt
	@$(LOCK) pyproject.toml --extra postgresql --extra distributed --group dev --constraint requirements/runtime.txt --output-file requirements/dev.txt
	@$(LOCK) --group bench --constraint requirements/dev.txt --output-file requirements/bench.txt
	@! grep -nE 'https?:' requirements/*.txt || { echo "A lock names a host." >&2; exit 1; }

docs: setup ## write docs/commands.md from the commands, and the matrix in docs/reliability.md from the tests
	@$(BIN)/python -m tests.support.command_page
	@$(BIN)/python -m tests.support.fault_page

pictures: setup ## write the pictures of mails and pages in docs/images (needs Debian's chromium)
	@$(BIN)/python -m tests.support.pictures

wheel: setup ## build the wheel and the source archive into dist/
	@$(BIN)/python -m hatchling build

bench: setup .venv-bench/.ready ## measure it beside its peers and write docs/performance.md (an hour or two; SHORT=1, ONLY=…, ROWS=…)
	@$(BIN)/python -m benchmarks.main $(if $(SHORT),--size short) $(if $(ONLY),--only $(ONLY)) $(if $(ROWS),--rows $(ROWS)) \
	  $(if $(MESSAGES),--messages $(MESSAGES)) $(if $(ROUNDS),--rounds $(ROUNDS))

churn: setup ## take five million changes of state through PostgreSQL and see what they leave (an hour or more; CHANGES=200000)
	@$(BIN)/python -m benchmarks.churn $(or $(CHANGES),5000000)

.venv-bench/.ready: requirements/bench.txt
	@echo "Making .venv-bench for the peers"
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip --disable-pip-version-check --no-input install --quiet --require-hashes -r requirements/bench.txt
	@touch $@

storm: setup ## kill the program a thousand times and count the letters (half an hour to an hour)
	@echo "Killing it over and over; this takes half an hour to an hour."
	@time $(BIN)/python -m pytest tests/acceptance tests/faults/test_kills.py tests/faults/test_damage.py tests/faults/test_postgres.py tests/services/test_tamperings.py tests/mail/test_form_letter.py \
	  -m storm -n auto --dist loadgroup --timeout 3600 --deselect tests/acceptance/test_system_calls.py

chaos: setup ## hold 10,000 random conversations with rude mail servers (about 20 minutes)
	@echo "Holding 10,000 conversations; this takes about 20 minutes."
	@time $(BIN)/python -m pytest tests/faults/test_smtp_sessions.py -m storm --timeout 7200

syscalls: setup ## let each call on the database's files fail or kill, and cut the power 500 times (needs strace; 20 minutes)
	@echo "Failing every system call in turn, then 500 power cuts; this takes about 20 minutes."
	@time $(BIN)/python -m pytest tests/acceptance/test_system_calls.py tests/faults/test_lost_writes.py -m storm -n auto --dist loadgroup --timeout 3600

machine: setup ## let Hypothesis write 300 long histories of two clinics and judge each step (about half an hour)
	@echo "Playing 300 histories of 60 steps; this takes about half an hour."
	@time $(BIN)/python -m pytest tests/stateful -m storm --timeout 7200

scanner: setup ## open every link of 1,000 mails 50 times, guess 10,000 tokens, and compare every row (10 minutes)
	@echo "Opening 200,000 links; this takes about 10 minutes."
	@time $(BIN)/python -m pytest tests/web/test_scanner.py tests/web/test_neutral.py -m storm -n 2 --timeout 7200

nodes: setup ## three machines share 20,000 messages; one is killed, one stopped, one cut off (as root; up to an hour; DUE=2000 for fewer)
	@echo "Losing three machines in the middle of $${DUE:-20000} messages; this takes up to an hour."
	@time $(BIN)/python -m pytest tests/acceptance/test_nodes.py -m storm --timeout 7200 -s

simulate: setup ## ten years of a chain of clinics and a thousand seeds of a year, every fault on (days; MINUTES=30 cuts it short)
	@$(BIN)/python -m tests.simulation.long

zoo: setup ## set every deliberate bug loose, one at a time, and see the tests catch each (about 20 minutes)
	@echo "Setting each deliberate bug loose in a copy; this takes about 20 minutes."
	@time $(BIN)/python -m tests.zoo.keeper

mutants: setup ## damage the rules two thousand times and see that a test notices each (5 to 15 minutes)
	@echo "Damaging the rules, again and again; this takes 5 to 15 minutes."
	@rm -rf mutants
	@PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 nice $(BIN)/mutmut run | tr '\r' '\n' | awk 'NR % 200 == 0'
	@nice $(BIN)/python -m tests.mutation.score

clean: ## remove what was made, the virtual environment too
	@rm -rf .venv .venv-bench dist build mutants .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis .coverage*
	@find reminders tests alembic -name __pycache__ -type d -prune -exec rm -rf {} +
