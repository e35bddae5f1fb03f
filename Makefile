# What people type here. `make` alone lists it.
#
# Everything is installed into .venv, once: a stamp in there remembers which lock file it was made from, so that the
# second run of any target starts at once. Only `make test` and `make bench` touch the system, and only as root.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?=
ARGS ?=

RUN_READY := $(VENV)/.ready-run
DEVELOP_READY := $(VENV)/.ready-develop

# Hashes say that the files are the ones that were tested, so nothing is asked about newer versions.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL_LOCKED := $(PIP) install --require-hashes --only-binary :all:
# Without "compat" an editable install hides the plugin from twistd. Without isolation the build needs no download.
INSTALL_SELF := $(PIP) install --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .

.PHONY: help demo test check format generate coverage taken-out bench gallery package-test lock system clean

help: ## list what can be made
	@echo "make TARGET, where TARGET is one of"
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

demo: $(RUN_READY) ## a provider, a sample application and two people on loopback; nothing else is needed
	@$(BIN)/konnectd demo $(ARGS)

test: $(DEVELOP_READY) system ## the whole suite, plain and optimized; as root also installs what it starts
	@$(BIN)/python tools/run_tests.py $(ARGS)

check: $(DEVELOP_READY) ## format, lint, types, generated files, changelog fragment
	@$(BIN)/python tools/run_checks.py $(ARGS)

format: $(DEVELOP_READY) ## put the code into shape, as `make check` wants it
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

generate: $(DEVELOP_READY) ## write etc/konnectd.conf, manual pages, lists of options and reasons, the catalog
	@$(BIN)/python -m konnectd.config.documents --write
	@$(BIN)/python -m konnectd.web.catalog --write

coverage: $(DEVELOP_READY) ## which branches no test takes; fails below the marks of the house
	@$(BIN)/python -m tools.run_coverage

taken-out: $(DEVELOP_READY) ## take out each check against a known fault in turn, and see a test fail; takes minutes
	@$(BIN)/python -m tools.taken_out $(ARGS)

bench: $(DEVELOP_READY) ## measure; read bench/README.md first
	@$(BIN)/python -m bench $(ARGS)

gallery: $(DEVELOP_READY) ## a picture of every page in every state, to look through: build/gallery/index.html
	@$(BIN)/python -m tools.gallery $(ARGS)

package-test: $(DEVELOP_READY) ## as root on Debian: build the package, install it into a clean system, sign somebody in
	@$(BIN)/python -m tools.package_test $(ARGS)

lock: ## resolve setup.py anew into the two lock files
	@tools/lock.sh

system: ## install what tests start: Debian packages as root, their services not started, and packages from npm
	@tools/system_packages.sh
	@tools/npm_packages.sh

clean: ## remove what was made, .venv included
	rm -rf $(VENV) build dist konnectd.egg-info .mypy_cache .ruff_cache .hypothesis .coverage .coverage.* .make
	rm -rf _trial_temp* twisted/plugins/dropin.cache twistd.pid
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A .venv whose Python is gone (the system was upgraded, the folder was copied) is made anew; any other one is kept.
ifeq ($(shell test -x $(BIN)/python && echo there),)
.PHONY: $(VENV)/pyvenv.cfg
endif
$(VENV)/pyvenv.cfg:
	@PYTHON="$(PYTHON)" tools/make_venv.sh $(VENV)

$(RUN_READY): $(VENV)/pyvenv.cfg requirements.lock setup.py pyproject.toml
	@echo "installing konnectd into $(VENV)"
	@$(INSTALL_LOCKED) --requirement requirements.lock
	@$(INSTALL_SELF)
	@touch $@

$(DEVELOP_READY): $(RUN_READY) requirements-develop.lock
	@echo "installing what tests and checks need into $(VENV)"
	@$(INSTALL_LOCKED) --requirement requirements-develop.lock
	@touch $@
