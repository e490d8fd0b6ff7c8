# Everything starts here. Each target makes the environment it needs from the lock files, and
# makes it again only when those changed. Works with GNU make from 3.81 (macOS) on.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# The first Python from 3.11 to 3.13 that is found, else python3, which `$(VENV)` then judges.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	if "$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	>/dev/null 2>&1; then echo "$$p"; exit; fi; done; echo python3)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCKED := $(VENV)/.lock-installed
BASE := $(VENV)/.base-installed
EXTRAS := $(VENV)/.extras-installed

# Peers of the benchmark, in an environment of their own.
TAP_VERSION := 0.5.3
TARGET_VERSION := 0.8.0
SINGER_VENV := .venv-singer
SINGER := $(SINGER_VENV)/.installed

# What dlt would report of its use stays here.
RUNTIME__DLTHUB_TELEMETRY ?= false
export RUNTIME__DLTHUB_TELEMETRY

# Two to four workers: more only repeat the imports. A file's tests share a worker and its servers;
# files keep their order, in which the short ones come last.
PYTEST_FLAGS ?= -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
ARGS ?=

UV_VERSION := 0.13.9
LOCKER := $(VENV)-lock
COMPILE := $(LOCKER)/bin/uv pip compile pyproject.toml --quiet --no-config --universal \
	--python-version 3.11 --fork-strategy fewest --no-annotate --no-emit-index-url \
	--custom-compile-command "make lock"
# Extras stay named: pip before 24 refuses a set whose `name[extra]` is not pinned as such.
HASHED := --generate-hashes --no-strip-extras
UPGRADE ?=

# The other Pythons that the suite runs on, as found on PATH or in pyenv.
OTHER_PYTHONS := 3.12 3.13
LOWEST := $(VENV)-lowest

# What looks at the dependencies is none itself.
PIP_AUDIT_VERSION := 2.10.1
CYCLONEDX_VERSION := 7.5.0
TOOLS := $(VENV)-tools
# The schedulers that schedules are tested in, each in an environment of its own.
AIRFLOW_VERSION := 3.3.2
DAGSTER_VERSION := 1.13.28
CHECK_JSONSCHEMA_VERSION := 0.39.0
SCHEDULERS := airflow dagster check-jsonschema
SCHEDULER_LOCKS := tests/pipelines/locks
IN_SCHEDULERS := $(SCHEDULERS:%=$(VENV)-%/.installed)
# The clients that a loaded file is opened with; tests/clients/versions.toml has their versions.
CLIENTS := $(VENV)-clients
AUDIT_LOG := $(TOOLS)/audit.log

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(BASE) ## Load from a stand-in of the API, without an account
	@$(BIN)/pipedream-source demo $(ARGS)

.PHONY: test
test: $(EXTRAS) ## Run the tests (ARGS="-k name" narrows them)
	@$(BIN)/python -m pytest $(PYTEST_FLAGS) $(ARGS)

.PHONY: test-pythons
test-pythons: $(OTHER_PYTHONS:%=test-on-%) test-lowest ## Run the tests on Python 3.12 and 3.13, and with the lowest dependencies

.PHONY: $(OTHER_PYTHONS:%=test-on-%)
$(OTHER_PYTHONS:%=test-on-%): test-on-%:
	@found=; for p in python$* "$$(pyenv root 2>/dev/null)"/versions/$*.*/bin/python3; do \
		if "$$p" -c '' >/dev/null 2>&1; then found="$$p"; fi; done; \
	test -n "$$found" || { echo "make $@: Python $* is neither on PATH nor in pyenv; install it." >&2; exit 2; }; \
	$(MAKE) --no-print-directory VENV=$(VENV)-$* PYTHON="$$found" test

.PHONY: test-lowest
test-lowest: $(LOWEST)/.installed ## Run the tests with the lowest dependencies that pyproject.toml allows
	@$(LOWEST)/bin/python -m pytest $(PYTEST_FLAGS) $(ARGS)

.PHONY: chaos
chaos: $(EXTRAS) ## Run what is too long for every day: each fault, kill and seed (ARGS="-k name")
	@$(BIN)/python -m pytest $(PYTEST_FLAGS) -m chaos $(ARGS)

.PHONY: test-schedules
test-schedules: $(BASE) $(IN_SCHEDULERS) ## Run the schedules in Airflow and Dagster, check the workflow
	@SCHEDULERS_BESIDE="$(abspath $(VENV))" $(BIN)/python -m pytest tests/pipelines/test_in_schedulers.py $(ARGS)

# Made again only where its versions changed.
.PHONY: test-clients
test-clients: $(BASE) ## Open a loaded file with each client that docs/clients.md names
	@$(BIN)/python tests/clients/install.py "$(CLIENTS)"
	@CLIENTS_BESIDE="$(abspath $(CLIENTS))" $(BIN)/python -m pytest tests/clients $(ARGS)

.PHONY: schedules
schedules: $(BASE) ## Write pipelines/schedules/ anew from the command's texts
	@$(BIN)/python -m tests.pipelines.written

.PHONY: soak
soak: $(BASE) ## Load for a simulated day with faults and kills (ARGS="--hours 24 --emitters 200")
	@$(BIN)/python -m benchmarks.soak --plot soak.svg $(ARGS)

ON_POSTGRES := $(addprefix tests/destinations/test_,at_once.py described.py servers.py unstorable.py)

.PHONY: test-postgres
test-postgres: $(EXTRAS) ## Load into a Postgres server and build the dbt models there, if one can be started here
	@$(BIN)/python -m pytest -m chaos tests/dbt/test_postgres.py $(ON_POSTGRES) $(ARGS)

.PHONY: lint
lint: $(EXTRAS) ## Check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: format
format: $(BASE) ## Format the code and repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# dbt reads the database of the demo, which comes first where there is none yet. PIPEDREAM_DATABASE
# names another, into which the demo never writes.
DATABASE = $(abspath $(or $(PIPEDREAM_DATABASE),pipedream_demo.duckdb))
DBT = PIPEDREAM_DATABASE="$(DATABASE)" $(BIN)/dbt --no-send-anonymous-usage-stats
DBT_AT = --project-dir dbt --profiles-dir dbt

.PHONY: dbt
dbt: $(EXTRAS) ## Build and test the dbt models, and write dbt/target/static_index.html
	@test -e "$(DATABASE)" || test -z "$(PIPEDREAM_DATABASE)" || { echo "make dbt: $(DATABASE) does not exist." \
		"Load into it first, or leave PIPEDREAM_DATABASE out to see the demo's." >&2; exit 2; }
	@test -e "$(DATABASE)" || $(BIN)/pipedream-source demo --database "$(DATABASE)"
	-@$(DBT) --log-level warn source freshness $(DBT_AT)
	@$(DBT) build $(DBT_AT) $(ARGS)
	@$(DBT) --quiet docs generate --static $(DBT_AT)
	@echo "dbt/target/static_index.html"

.PHONY: bench
bench: $(EXTRAS) $(SINGER) ## Measure loads beside what one would use instead (ARGS="--inputs small")
	@$(BIN)/python -m benchmarks.bench --memory --json bench.json --charts bench-charts $(ARGS)

.PHONY: bench-quick
bench-quick: $(BASE) ## The same in a minute, with a small input and what is installed
	@$(BIN)/python -m benchmarks.bench --inputs quick --rounds 1 $(ARGS)

.PHONY: bench-growth
bench-growth: $(EXTRAS) ## Measure loads into tables of 100 thousand to 10 million rows
	@$(BIN)/python -m benchmarks.growth --charts bench-charts $(ARGS)

.PHONY: bench-growth-days
bench-growth-days: $(BASE) ## Measure the file over fourteen days of loads, beside a fresh copy (ARGS="--days 1")
	@$(BIN)/python -m benchmarks.growth_days $(ARGS)

.PHONY: bench-size
bench-size: $(BASE) ## Compare the size of files with an older commit and with Parquet
	@$(BIN)/python -m benchmarks.size $(ARGS)

.PHONY: bench-latency
bench-latency: $(BASE) ## Measure loads over a slow network
	@$(BIN)/python -m benchmarks.latency $(ARGS)

.PHONY: bench-sandbox
bench-sandbox: $(BASE) ## Measure how many windows the sandbox serves
	@$(BIN)/python benchmarks/sandbox_rate.py

.PHONY: bench-proof
bench-proof: $(EXTRAS) ## Measure proofs of a stream with 250 to 35,000 gaps
	@$(BIN)/python -m benchmarks.proof $(ARGS)

.PHONY: bench-dbt
bench-dbt: $(EXTRAS) ## Measure the dbt models on a million events, and on ten thousand more
	@$(BIN)/python -m benchmarks.dbt_build $(ARGS)

.PHONY: bench-search
bench-search: $(BASE) ## Measure the search in a million payloads and in a hundred thousand large ones
	@$(BIN)/python -m benchmarks.search $(ARGS)

.PHONY: venv
venv: $(BASE) ## Make the environment only

.PHONY: extras
extras: $(EXTRAS) ## Add dbt and the notebooks to the environment

.PHONY: notebooks
notebooks: $(EXTRAS) ## Open the notebooks in a browser (PIPEDREAM_DATABASE=file)
	@$(BIN)/marimo edit notebooks $(ARGS)

.PHONY: notebooks-html
notebooks-html: $(EXTRAS) ## Write the notebooks as pages that need no network, to notebooks/html/
	@$(BIN)/python -m notebooks.offline $(ARGS)

.PHONY: build
build: $(BASE) ## Build the wheel and the source archive into dist/
	$(BIN)/python -m hatchling build

# One resolution of everything comes first, so that both files fit into one environment.
.PHONY: lock
lock: $(LOCKER)/.installed ## Make the lock files anew (UPGRADE=1: with newer versions)
	@cat requirements.lock requirements-extras.lock 2>/dev/null >$(LOCKER)/all.txt || true
	$(COMPILE) --all-extras $(if $(UPGRADE),--upgrade) -o $(LOCKER)/all.txt >/dev/null
	$(COMPILE) --extra dev -c $(LOCKER)/all.txt $(HASHED) -o requirements.lock >/dev/null
	$(COMPILE) --extra dbt --extra notebooks --extra postgres -c $(LOCKER)/all.txt $(HASHED) \
		-o requirements-extras.lock >/dev/null
	@for need in apache-airflow==$(AIRFLOW_VERSION) dagster==$(DAGSTER_VERSION) \
		check-jsonschema==$(CHECK_JSONSCHEMA_VERSION); do name=$${need%%==*}; \
		echo "$$need" | $(subst pyproject.toml,-,$(COMPILE)) --generate-hashes --strip-extras $(if $(UPGRADE),--upgrade) \
		-o $(SCHEDULER_LOCKS)/$${name#apache-}.lock >/dev/null || exit 1; done

# What pip-audit could not ask about counts as failed: silence is no proof.
.PHONY: audit
audit: $(TOOLS)/.installed ## Look for known weaknesses of the locked packages
	@$(TOOLS)/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off \
		-r requirements.lock -r requirements-extras.lock $(ARGS) 2>$(AUDIT_LOG) || { \
		tail -n 1 $(AUDIT_LOG) >&2; grep -q '^Found ' $(AUDIT_LOG) || echo "make audit: the database" \
		"of weaknesses did not answer for all packages, so nothing is proven." >&2; exit 1; }
	@tail -n 1 $(AUDIT_LOG)

.PHONY: sbom
sbom: $(TOOLS)/.installed $(BASE) ## Write the bill of materials (CycloneDX) to dist/
	@mkdir -p dist
	@$(TOOLS)/bin/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml \
		--output-reproducible --output-file dist/sbom.cdx.json
	@echo "dist/sbom.cdx.json"

.PHONY: clean
clean: ## Remove what make made; never a database
	@for v in "$(VENV)" "$(LOCKER)" "$(TOOLS)" "$(LOWEST)" $(OTHER_PYTHONS:%="$(VENV)-%") "$(SINGER_VENV)" $(SCHEDULERS:%="$(VENV)-%"); do \
		if [ -f "$$v/pyvenv.cfg" ]; then rm -rf "$$v"; fi; done
	@for e in "$(CLIENTS)"/*/.installed; do if [ -f "$$e" ]; then rm -rf "$${e%/.installed}"; fi; done
	@rmdir "$(CLIENTS)" 2>/dev/null || true
	rm -rf build dist bench.json bench-charts .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# Compiled once, here: where Python may not write bytecode, each run would compile all of it again.
# Only what a load uses, as compiling everything doubles the time of the installation.
WARM_UP := import dlt, duckdb, msgspec, pandas, pyarrow, pyarrow.dataset, rich, starlette, typer, uvicorn
HOT := attr certifi charset_normalizer dlt duckdb idna markdown_it mdurl pendulum pluggy pygments \
	requests rich starlette typer urllib3 uvicorn
COMPILED := PYTHONDONTWRITEBYTECODE= $(BIN)/python

# Installs the locked set with its hashes, and again only when the lock changed.
$(LOCKED): requirements.lock
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "pipedream-source needs Python 3.11 or newer; '$(PYTHON)' is" \
		"$$("$(PYTHON)" --version 2>/dev/null || echo missing). Name one: make PYTHON=/path/to/python3" >&2; \
		exit 1; }
	@echo "Setting up $(VENV) with $$("$(PYTHON)" --version) …"
	@"$(PYTHON)" -m venv "$(VENV)"
	@$(PIP) install --quiet --no-compile --require-hashes -r requirements.lock
	@$(COMPILED) -c "$(WARM_UP)"
	@for name in $(HOT); do $(COMPILED) -m compileall -q "$(VENV)"/lib/python3*/site-packages/$$name; done
	@touch "$@"

# The project itself, without asking an index: a moment.
$(BASE): $(LOCKED) pyproject.toml
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(COMPILED) -m compileall -q pipedream_source
	@touch "$@"

$(EXTRAS): requirements-extras.lock $(BASE)
	@echo "Adding dbt and the notebooks to $(VENV) …"
	@$(PIP) install --quiet --no-compile --require-hashes -r requirements-extras.lock
	@touch "$@"

# Resolved anew each time, as nothing but a test uses it.
$(LOWEST)/.installed: pyproject.toml $(LOCKER)/.installed
	@echo "Setting up $(LOWEST) …"
	@"$(PYTHON)" -m venv "$(LOWEST)"
	@$(COMPILE) --all-extras --resolution lowest-direct -o $(LOWEST)/requirements.txt >/dev/null
	@$(LOWEST)/bin/python -m pip --disable-pip-version-check install --quiet --no-compile \
		-r $(LOWEST)/requirements.txt
	@$(LOWEST)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps \
		--no-build-isolation --editable .
	@touch "$@"

$(LOCKER)/.installed: Makefile
	@"$(PYTHON)" -m venv "$(LOCKER)"
	@"$(LOCKER)/bin/python" -m pip --disable-pip-version-check install --quiet uv==$(UV_VERSION)
	@touch "$@"

# A peer that cannot be installed is said to be missing.
$(SINGER): Makefile
	@"$(PYTHON)" -m venv "$(SINGER_VENV)"
	@"$(SINGER_VENV)/bin/python" -m pip --disable-pip-version-check install --quiet \
		tap-pipedream==$(TAP_VERSION) target-duckdb==$(TARGET_VERSION) && touch "$@" || { \
		rm -rf "$(SINGER_VENV)"; echo "tap-pipedream could not be installed" >&2; }

$(VENV)-%/.installed: $(SCHEDULER_LOCKS)/%.lock
	@echo "Setting up $(VENV)-$* …"
	@"$(PYTHON)" -m venv "$(VENV)-$*"
	@"$(VENV)-$*/bin/python" -m pip --disable-pip-version-check install --quiet --no-compile \
		--require-hashes -r $<
	@touch "$@"

$(TOOLS)/.installed: Makefile
	@"$(PYTHON)" -m venv "$(TOOLS)"
	@"$(TOOLS)/bin/python" -m pip --disable-pip-version-check install --quiet \
		pip-audit==$(PIP_AUDIT_VERSION) cyclonedx-bom==$(CYCLONEDX_VERSION)
	@touch "$@"
