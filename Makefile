# `make try` and `make test` work on a fresh clone with Python 3.11+, make and git: the rest is installed into .venv.

# Before 3.11.5, `re` matches possessive groups wrongly (gh-106052): such a Python only where there is no other.
PYTHON ?= $(shell for least in '(3, 11, 5)' '(3, 11)'; do \
	for p in python3 python3.14 python3.13 python3.12 python3.11 python /usr/bin/python3; do \
	$$p -c "import sys; sys.exit(sys.version_info < $$least)" 2>/dev/null && { echo $$p; exit; }; done; done)
RUN := .venv/bin/python

.PHONY: try test survival coverage check format requirements

try: .venv/ready
	@$(RUN) -m bot try

# They wait more than they work, so more than one a core.
test: .venv/ready
	$(RUN) -m pytest --numprocesses=3 -m "not processes"

# The bot as processes that are killed, stopped and searched for secrets.
survival: .venv/ready
	$(RUN) -m pytest -m processes

# Tracing every branch more than doubles the time: it is asked for by itself.
coverage: .venv/ready
	$(RUN) -m pytest --numprocesses=3 --cov --cov-report=term

check: .venv/ready
	$(RUN) -m ruff format --check
	$(RUN) -m ruff check
	$(RUN) -m mypy

format: .venv/ready
	$(RUN) -m ruff format
	$(RUN) -m ruff check --fix

.venv/ready: requirements.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer was found; set PYTHON=/path/to/python3" >&2; exit 2; }
	@echo "Setting up .venv (once) ..."
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-dev.txt
	@touch $@

# Needs uv. Pins for every Python from 3.11 to 3.14 at once.
requirements:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements.txt
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements-dev.txt
