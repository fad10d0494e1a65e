# Needs Python 3.11 to 3.13 and make; everything else goes into .venv. `make demo PYTHON=python3.12` chooses the Python.

FITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python,$(shell $(p) -c '$(FITS)' 2>/dev/null && echo $(p))))
BIN := .venv/bin
READY := .venv/ready

.PHONY: demo test test-slow lint bench clean

demo: $(READY)
	$(BIN)/bnnverify demo

test: $(READY)
	$(BIN)/pytest -m "not slow"

test-slow: $(READY)
	$(BIN)/pytest -m slow

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python benchmarks/counting.py

clean:
	rm -rf .venv demo-output build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Installed again only when the packages asked for change.
$(READY): pyproject.toml constraints.txt
	@$(or $(PYTHON),false) -c '$(FITS)' 2>/dev/null || { \
	  echo "expected Python 3.11 to 3.13 with venv, got $(or $(PYTHON),none on the PATH) $$($(PYTHON) --version 2>/dev/null)"; exit 2; } >&2
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,report,onnx,dev]'
	touch $@
