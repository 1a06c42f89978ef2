# Targets are one readable line each, and CI (.ci/run) runs the same ones.
# No target calls apt but `deps`: where a Debian package is missing, the line to type is printed.

PREFIX = /usr/local
LIBRARY = $(PREFIX)/lib/sesmail
SYSCONFDIR = /etc
LOCALSTATEDIR = /var
PYTHON = /usr/bin/python3
# none: the packages of PYTHON run the delivery half, and its tests; nothing is fetched. Those of
# Debian 12 are the oldest that are supported, those of packaging/requirements.lock the newest.
VENV = own
FUZZ_SECONDS = 120
HEAVY = clients crash packages scale
# the mail programs beside which `make test-packages` tries the package
MTA = none postfix exim4-daemon-light nullmailer msmtp-mta
export DESTDIR PREFIX LIBRARY SYSCONFDIR LOCALSTATEDIR PYTHON VENV

BIN = .venv/bin
need = @packaging/need $(needs)
made = .venv/made$(if $(filter none,$(VENV)),-none)
pytest = $(if $(filter none,$(VENV)),$(BIN)/python3 -m pytest -p no:cacheprovider,$(BIN)/pytest)

# Purposes in packaging/deps; what a target needs is asked for before .venv is made, too.
environment = $(if $(filter none,$(VENV)),,venv)
needs = $(environment)
test: needs = test $(or $(environment),test-system)
test-scale: needs = venv test
bench: needs = venv test packages
test-crash: needs = venv test crash
test-clients: needs = venv test clients
test-packages: needs = venv test deb packages reproducible
check: needs = venv test manual
manual: needs = manual
deb: needs = deb
sbom: needs = venv deb
reproducible: needs = deb reproducible

.PHONY: help demo test test-clients test-crash test-packages test-scale check lint format \
	types manual bench bench-docs fuzz venv lock deps install uninstall dist deb reproducible sbom clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

demo: venv ## send examples/welcome.eml to a stand-in for SES on loopback, and show what it got
	@examples/demo.sh

# one that stands still for 300 s shows where
test: venv ## every test but those of HEAVY
	$(need)
	$(pytest) -n auto -o faulthandler_timeout=300 $(HEAVY:%=--ignore tests/%) $(ARGS)

test-clients: venv ## real programs (PHP, MediaWiki, ...) against the installed sendmail
	$(need)
	tests/clients/setup-stand-ins.sh
	tests/clients/setup-libraries.sh
	$(BIN)/pytest tests/clients $(ARGS)

test-crash: venv ## kill -9 at every step, 20 times each; power cuts; a full disk (as root)
	$(need)
	$(BIN)/pytest tests/crash $(ARGS)

test-packages: venv ## the Debian package, in roots of its own, beside each of MTA (as root)
	$(need)
	MTA="$(MTA)" $(BIN)/pytest -n auto --dist loadfile tests/packages $(ARGS)

test-scale: venv ## a million queued, and ten thousand messages through an SES that fails
	$(need)
	$(BIN)/pytest tests/scale $(ARGS)

check: lint types manual test ## all that a change must pass, but the heavy ones

lint: venv ## ruff: rules and layout
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: venv ## let ruff lay out the code
	$(BIN)/ruff format .

types: venv ## mypy, strict
	$(BIN)/mypy

manual: ## the manual pages, as mandoc sees them
	$(need)
	mandoc -T lint -W warning man/*.[158]

bench: venv ## what we cost beside what is done without us, and beside others; QUICK=1: in short
	$(need)
	$(BIN)/python3 tests/bench/run.py $(if $(QUICK),--quick) $(ARGS)

bench-docs: venv ## docs/PERFORMANCE.md, its charts and the README's numbers, from build/bench.json
	$(BIN)/python -m tests.bench.document

fuzz: venv ## throw bytes at command line, message and SMTP dialogue, each for FUZZ_SECONDS
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r packaging/requirements-fuzz.lock
	$(BIN)/python -m tests.fuzz submission -max_total_time=$(FUZZ_SECONDS)
	$(BIN)/python -m tests.fuzz dialogue -max_total_time=$(FUZZ_SECONDS)

venv: $(made) ## .venv with the pinned packages, for everything above; VENV=none: with the system's
$(made): packaging/requirements.lock packaging/requirements-dev.lock packaging/venv
	$(need)
	@packaging/venv
	@touch $@

lock: ## the newest versions within setup.cfg's bounds, with hashes, into packaging/*.lock
	@packaging/lock

deps: ## the one target that calls apt-get: every Debian package that another target asks for
	packaging/install-deps

install: ## below PREFIX (and DESTDIR), to be run by PYTHON
	$(need)
	@packaging/install

uninstall: ## take away what install made; /etc/sesmail stays
	@packaging/uninstall

dist: ## build/sesmail-VERSION.tar.gz, from which all of this can be done without git
	@packaging/dist

deb: ## build/*.deb, from the archive of `make dist`
	$(need)
	@packaging/deb

reproducible: ## make archive and packages twice, as unlike as can be, and compare the bytes
	$(need)
	@packaging/reproducible

sbom: deb ## bills of materials (CycloneDX) of the virtual environment and of the packages, into build/
	@packaging/sbom

clean: ## everything that git ignores
	rm -rf .venv .cache build .hypothesis .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
