# make run    sets everything up and runs the main job on the embedded default
# make test   sets everything up and passes the tests
# make help   lists the rest

.DEFAULT_GOAL := help
UV_VERSION := 0.13.8
UV := .tools/bin/uv
READY := .venv/.ready
KWS := .venv/bin/kws
# A worker for each core; tests/conftest.py says what one worker runs in order.
PYTEST := .venv/bin/python -m pytest -n logical --no-loadscope-reorder

help:            ## list the targets
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

setup: $(READY)  ## find Python 3.10, install uv into .tools and the locked packages into .venv

run: $(READY)    ## the main job: the quickstart preset, from voices to a pushed bundle
	$(KWS) run --preset quickstart

test: $(READY)   ## format, lint, types, and every test but the nightly ones
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	$(PYTEST) -m "not nightly"

test-fast: $(READY) ## the unit tests alone
	$(PYTEST) -m "unit and not nightly"

nightly: $(READY) ## the slow, full-size tests
	.venv/bin/python -m pytest -m nightly

format: $(READY) ## format the code and mend what the linter can
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

bench: $(READY)  ## features and the quickstart preset; benchmarks/README.md lists all benchmarks
	.venv/bin/python -m benchmarks.spectrogram_transform
	.venv/bin/python -m benchmarks.pipeline

# Without the theme's warning that it will not run on a MkDocs 2: uv.lock has MkDocs 1.
docs: $(READY)   ## the documentation as a site in site/, with an API reference from the docstrings
	NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build --strict

first-run:       ## the two commands of the README from a fresh clone, an empty HOME and no caches
	scripts/first_run.sh

clean:           ## remove what make put into this folder (runs/ stays)
	rm -rf .venv .tools site

# Stamped, so that a second `make run` or `make test` installs nothing and changes nothing.
$(READY): scripts/setup.sh pyproject.toml uv.lock setup.py
	@UV_VERSION=$(UV_VERSION) sh scripts/setup.sh $(UV)
	@touch $@

.PHONY: help setup run test test-fast nightly format bench docs first-run clean
