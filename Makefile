PACKAGES := bench command editor grammar ground http importing interpreter media messages scripts simulation store
# The distribution's own Python, where it fits: it is built with optimizations, and is 1.3 times as fast as one that pyenv
# builds unless told otherwise.
FIT := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 13))
FITTEST := $(shell for one in /usr/bin/python3 python3; do $$one -c '$(FIT)' 2>/dev/null && echo $$one && break; done)
PYTHON ?= $(or $(FITTEST),python3)
VENV := .venv
BIN := $(VENV)/bin

help:
	@echo "make demo    the first call, end to end, on this machine"
	@echo "make serve   start the server"
	@echo "make test    the whole test suite; make test ROOM=grammar: those of one room"
	@echo "make check   lint, types and tests"

# One stamp for the installed environment: it is made anew when the dependencies change.
$(VENV)/installed: pyproject.toml setup.py backend.py $(wildcard media/engine/csrc/* grammar/reading/moves/csrc/*)
	@$(PYTHON) -c 'import sys; sys.exit(not (3,11) <= sys.version_info < (3,13))' || \
	  { echo "ringful needs Python 3.11 or 3.12; set PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "this Python lacks venv: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

install: $(VENV)/installed

demo: install
	$(BIN)/ringful demo

serve: install
	$(BIN)/ringful serve

# Four at a time, also on two cores: most of the suite waits for real calls.
test: install
	@echo "$(if $(ROOM),the tests of $(ROOM),the whole suite: about a quarter of an hour on two cores)"
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(if $(ROOM),tests/$(ROOM))

check: lint types test

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	mkdir -p build/types/ringful
	for p in $(PACKAGES); do ln -sfn ../../../$$p build/types/ringful/$$p; done
	$(BIN)/mypy

# 20,000 short calls: does anything grow without end?  A quarter of an hour, and no part of `make test`.
soak: install
	$(BIN)/python -m tests.soak

# The colours of editors, from the language's own words; a test holds the file equal.
editors: install
	$(BIN)/python -m ringful.editor.textmate > editors/vscode/syntaxes/ringful.tmLanguage.json

.PHONY: editors help install demo serve soak test check lint types
