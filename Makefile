# Two commands: `make gate` judges a checkpoint, `make test` tests the tool.
PYTHON ?= python3
VENV ?= .venv
MODEL ?=
BASE ?=
REFERENCE ?=
ARGS ?=
OUT ?= build/gate
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed

.PHONY: gate test check fixtures findings coverage clean

gate: $(STAMP)
# An empty MODEL is a variable that somebody forgot to set, and no wish for the fixture model.
ifeq ($(origin MODEL)$(strip $(MODEL)),command line)
	$(error MODEL is empty: make gate MODEL=./checkpoint, or make gate for the fixture model tiny-it)
endif
	@$(if $(MODEL),,echo "no MODEL given: judging the fixture model tiny-it")
	$(BIN)/pytest $(if $(MODEL),--model="$(MODEL)") $(if $(BASE),--base="$(BASE)") \
	    $(if $(REFERENCE),--reference="$(REFERENCE)") --lengthprobe-report="$(OUT)" $(ARGS)

test: $(STAMP)
	$(BIN)/pytest tests -n 2 $(ARGS)

# All that a contributor runs: the linters, the types, the tests.
check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) test

fixtures: $(STAMP)
	$(BIN)/python -m fixtures.recipe
	$(BIN)/python -m fixtures.findings

findings: $(STAMP)
	$(BIN)/python -m fixtures.findings

coverage: $(STAMP)
	$(BIN)/python benchmarks/coverage.py

$(STAMP): pyproject.toml constraints.txt
	@echo "installing into $(VENV): some minutes, some 2 GB"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

clean:
	rm -rf build $(VENV)
