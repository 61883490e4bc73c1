# Every target makes its own environment; the second time that takes no time.
# Needs Python 3.11 or newer with its venv module. PYTHON=… names another interpreter.
.DEFAULT_GOAL := help
.PHONY: help run run-servers test lint pytest format chaos bench lock clean

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
BIN := .venv/bin
RUNNING := .venv/.installed
TESTING := .venv/.installed-dev
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
SECONDS := 60
SEED := 1
ARGS :=
# Half of the time the tests wait for servers: two processes, each with servers of its own, share the files out.
TWO := -n 2 --dist loadfile --no-loadscope-reorder

help:
	@echo "make run          the whole platform in one process, with a synthetic bank; Ctrl-C stops it"
	@echo "make run-servers  the production topology on this machine: Kafka, PostgreSQL, Redis, a process a service"
	@echo "make test         everything that is checked, against real servers"
	@echo "make lint         ruff, mypy and the import contracts alone"
	@echo "make chaos        SECONDS=60 SEED=1: workers and servers fail at random, every state is checked"
	@echo "make bench        the figures of the README on this machine"

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or name it by PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -m venv .venv || { echo "The venv module is missing: on Debian, apt-get install python3-venv" >&2; exit 1; }

$(RUNNING): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing locked dependencies into .venv"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(TESTING): requirements-dev.lock $(RUNNING)
	@echo "Installing locked dependencies for the tests into .venv"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

run: $(RUNNING)
	@exec $(BIN)/counterpoint run $(ARGS)

run-servers: $(RUNNING)
	@exec $(BIN)/python -m deploy.topology $(ARGS)

lint: $(TESTING)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Whichever of the two fails, all of it is told.
test: $(TESTING)
	@$(MAKE) --no-print-directory --keep-going -j2 lint pytest

pytest: $(TESTING)
	$(BIN)/pytest $(TWO) $(ARGS)

format: $(TESTING)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

chaos: $(TESTING)
	@exec $(BIN)/python -m tests.chaos --seconds $(SECONDS) --seed $(SEED) $(ARGS)

bench: $(TESTING)
	@exec $(BIN)/python -m tests.benchmarks $(ARGS)

# One resolution for Linux on x86-64 and ARM and Python 3.11 to 3.13; hashes of every wheel, no index named.
LOCK = uv pip compile pyproject.toml deploy/build.in --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url --quiet

lock:
	@command -v uv >/dev/null || { echo "uv is needed to make the lock files: pip install uv" >&2; exit 1; }
	$(LOCK) -o requirements.lock
	$(LOCK) --extra dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
