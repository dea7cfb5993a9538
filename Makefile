# Everything one does to this project. PYTHON=python3.12 make ... takes another Python,
# REQUIREMENTS=requirements-latest.txt make ... the newest packages, on Python 3.13 and in an
# environment of their own; where packages come from is pip's own configuration.

REQUIREMENTS ?= requirements.txt
LATEST := requirements-latest.txt
ifeq ($(REQUIREMENTS),$(LATEST))
PYTHONS := 3.13
PYTHON ?= python3.13
VENV ?= .venv-latest
else
PYTHONS := 3.10 3.11 3.12
PYTHON ?= python3
VENV ?= .venv
endif
BIN := $(VENV)/bin
DEMO := demo
DEMO_EPOCHS ?= 10
DEMO_PRETRAINING_EPOCHS ?= 2
# a front end and a model that learn what there is to learn in synthetic speech, at a fraction of the
# default's cost
DEMO_FRONTEND := --set frontend.bins=64
DEMO_MODEL := --set model.filters=8,16
REPRODUCED := $(DEMO)/reproduce
# Fig. 4 goes from none to all of them in nine steps
REPRODUCED_READERS := 18
# the config that all of it begins with: default or paper
PRESET ?= default
CODE := ser_aae data_prep tuning reports benchmarks docs/hooks tests
# two workers, each with half of the tests in their order: dealt out by turns, the tests of a file
# would have both workers train what they share
PYTEST_ARGS ?= --numprocesses 2 --dist worksteal

# what is likeliest to depend on versions: numbers, files of models, and a training
TESTS_OF_VERSIONS := tests/test_packaging.py $(addprefix tests/ser_aae/,batches frontend export \
	model/test_networks.py commands/test_terminal.py)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /make \1  /p' $(MAKEFILE_LIST)

# the requirements are the whole list, so nothing is left for pip to resolve; where the list lacks a
# package, `pip check` says so
$(VENV)/.installed: $(REQUIREMENTS) pyproject.toml
	$(PYTHON) -c 'import sys; found = sys.version.split()[0]; sys.exit(found.rpartition(".")[0] not in sys.argv[2:] and sys.argv[1] + ": expected Python " + " or ".join(sys.argv[2:]) + ", found " + found + "; choose one with PYTHON=...")' $(REQUIREMENTS) $(PYTHONS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --no-deps -r $(REQUIREMENTS)
	$(BIN)/python -m pip install --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --no-build-isolation --constraint $(REQUIREMENTS) --editable '.[dev,docs]'
	$(BIN)/python -m pip check
	touch $@

.PHONY: install
install: $(VENV)/.installed ## make .venv and install everything into it

.PHONY: demo
demo: $(VENV)/.installed ## synthetic speech, training, and a report to look at, in ./demo
	$(BIN)/ser-aae synthesise --dataset demo --data-root $(DEMO)/data
	$(BIN)/ser-aae synthesise --dataset librispeech --data-root $(DEMO)/data
	$(BIN)/ser-aae prepare --dataset demo $(DEMO_FRONTEND) --data-root $(DEMO)/data \
		--store $(DEMO)/store
	$(BIN)/ser-aae prepare --dataset librispeech $(DEMO_FRONTEND) --data-root $(DEMO)/data \
		--store $(DEMO)/store --allow-partial
	$(BIN)/ser-aae train --dataset demo --auxiliary librispeech --protocol loso-session --fold 0 \
		--epochs $(DEMO_EPOCHS) --set training.pretraining_epochs=$(DEMO_PRETRAINING_EPOCHS) \
		$(DEMO_FRONTEND) $(DEMO_MODEL) \
		--data-root $(DEMO)/data --store $(DEMO)/store --runs $(DEMO)/runs > $(DEMO)/train.txt
	$(BIN)/ser-aae evaluate "$$(tail -n 1 $(DEMO)/train.txt)"
	$(BIN)/ser-aae report --runs $(DEMO)/runs --out $(DEMO)/report > $(DEMO)/report.txt
	@echo
	@echo "Synthetic speech: the figures show that everything works, and nothing about people."
	@echo "The report, to open in a browser, and its pictures and tables:"
	@cat $(DEMO)/report.txt

# the corpus demo stands in for LibriSpeech's test-clean: speakers to verify who train nothing
.PHONY: reproduce-demo
reproduce-demo: $(VENV)/.installed ## all tables and figures of the paper, from synthetic speech, in ./demo/reproduce
	for corpus in iemocap msp demo; do \
		$(BIN)/ser-aae synthesise --dataset $$corpus --data-root $(REPRODUCED)/data || exit; \
	done
	$(BIN)/ser-aae synthesise --dataset librispeech --speakers $(REPRODUCED_READERS) \
		--data-root $(REPRODUCED)/data
	$(BIN)/ser-aae reproduce all --budget smoke --preset $(PRESET) --allow-partial \
		--auxiliary-speakers $(REPRODUCED_READERS) --set verification=demo \
		--data-root $(REPRODUCED)/data --store $(REPRODUCED)/store --runs $(REPRODUCED)/runs
	$(BIN)/ser-aae report --runs $(REPRODUCED)/runs --store $(REPRODUCED)/store \
		--out $(REPRODUCED)/report --check --complete > $(REPRODUCED)/report.txt
	@echo
	@echo "Synthetic speech: the figures show that everything works, and nothing about people."
	@echo "The report, to open in a browser, and its pictures and tables:"
	@cat $(REPRODUCED)/report.txt

.PHONY: lint
lint: $(VENV)/.installed-dev ## formatting, lint and spelling
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/codespell

.PHONY: test
test: lint ## lint, then all tests; ends with the ten slowest
	$(BIN)/python -m pytest --durations 10 $(PYTEST_ARGS)

.PHONY: test-latest
test-latest: ## lint and some tests with the newest packages, on Python 3.13
	$(MAKE) REQUIREMENTS=$(LATEST) VENV=.venv-latest lint
	.venv-latest/bin/python -m pytest $(PYTEST_ARGS) $(TESTS_OF_VERSIONS)

.PHONY: docs
docs: $(VENV)/.installed-dev ## the documentation as pages, to open at site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# a list, its first Python, the package that holds TensorFlow, and the file: hashes for all systems and
# Pythons, whichever this is; where uv asks is uv's own configuration
HASHED = sed 's/^tensorflow==/$(3)==/' $(1) | $(BIN)/uv pip compile - --quiet --no-deps --universal \
	--python-version $(2) --no-python-downloads --generate-hashes --no-annotate \
	--custom-compile-command 'make hashes' > requirements-hashes/.part \
	&& mv requirements-hashes/.part requirements-hashes/$(4).txt

.PHONY: hashes
hashes: $(VENV)/.installed-dev ## requirements-hashes/, the locked list with the hash of every file
	mkdir -p requirements-hashes
	$(call HASHED,requirements.txt,3.10,tensorflow,tensorflow)
	$(call HASHED,requirements.txt,3.10,tensorflow-cpu,tensorflow-cpu)
	$(call HASHED,requirements-latest.txt,3.13,tensorflow,latest)

.PHONY: dist
dist: $(VENV)/.installed-dev ## wheel and source archive in ./dist, as an index would take them
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*

.PHONY: browser-test
browser-test: $(VENV)/.installed-dev ## the web page in a real browser; its picture lies in ./demo/page
	@command -v chromium || command -v chromium-browser || command -v google-chrome || { \
		echo "expected Chromium, found none; install it first, on Debian: apt-get install chromium" >&2; \
		exit 2; }
	SER_AAE_PICTURES=$(DEMO)/page $(BIN)/python -m pytest tests/ser_aae/server

# the folders of the tests have the packages' names: the packages themselves come first
.PHONY: fuzz
fuzz: $(VENV)/.installed-dev ## ten thousand damaged recordings; some minutes
	PYTHONPATH=. $(BIN)/python tests/fuzz_audio.py --files 10000

.PHONY: kills
kills: $(VENV)/.installed-dev ## commands killed at random moments; under an hour, goes on in ./demo/kills
	PYTHONPATH=. $(BIN)/python tests/kills.py --place $(DEMO)/kills --out docs/data/kills.csv \
		--page docs/kills.md

.PHONY: docker-test
docker-test: ## build the image and use it, on a machine with Docker
	tests/docker.sh

.PHONY: clean
clean: ## remove what was made here: environment, demo, pages, caches
	rm -rf .venv .venv-latest $(VENV) $(DEMO) site build dist *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
