# Targets are one readable line each, and CI (.ci/run) runs the same ones.
# No target calls apt but `deps`: where a Debian package is missing, the line to type is printed.

PREFIX = /usr/local
PYTHON = /usr/bin/python3
export DESTDIR PREFIX PYTHON

BIN = .venv/bin

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

.PHONY: venv
venv: .venv/made ## .venv with the pinned dependencies, for everything below
.venv/made: packaging/requirements.txt packaging/requirements-dev.txt packaging/venv
	@packaging/need venv
	packaging/venv
	@touch $@

.PHONY: install
install: ## below PREFIX (and DESTDIR), to be run by PYTHON
	@packaging/need venv
	@packaging/install

.PHONY: uninstall
uninstall: ## take away what install made; /etc/sesmail stays
	@packaging/uninstall
