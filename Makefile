# Everything a developer runs. Needs Python 3.11 or newer and make; the rest is fetched into .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Also where the machine keeps no compiled files, we do: without them each process takes seconds more to start.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test soak check fix bench package package-trial gateway-trial collector-trial citus-trial failover-trial image-trial denial-trial lock audit

demo: $(READY)
	$(BIN)/tokens-bot demo $(ARGS)

test: $(READY)
	$(BIN)/pytest $(ARGS)

# Everything that `make test` does, on every database, with kills by the hundred and many more examples.
soak: $(READY)
	$(BIN)/pytest --deep $(ARGS)

check: $(READY)
	$(BIN)/python -m pip check --disable-pip-version-check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@rm -f var/alembic.db
	$(BIN)/alembic upgrade head
	$(BIN)/alembic check

fix: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	$(BIN)/python -m benchmarks $(ARGS)

# A wheel with everything in it, in dist/, beside the versions that it was tested with.
package: $(READY)
	@rm -rf dist
	$(BIN)/uv --quiet build --wheel --no-build-isolation --python $(BIN)/python --out-dir dist
	@cp requirements/run.txt dist/requirements.txt
	@ls dist

# Outside of `make test`: installs the wheel into an environment of its own, away from this folder, and sets a company up.
package-trial: package
	$(BIN)/python -m benchmarks.package_trial dist

# Outside of `make test`: builds the image and runs it, as root, without an engine.
image-trial: package
	$(BIN)/python -m benchmarks.image_trial $(ARGS)

# Outside of `make test`: fetches LiteLLM into an environment of its own.
gateway-trial: $(READY)
	$(BIN)/python -m benchmarks.gateway_trial
	$(BIN)/python -m benchmarks.plugin_trial

# Outside of `make test`: fetches two dozen clients, each into an environment of its own, and denies them a call.
denial-trial: $(READY)
	$(BIN)/python -m benchmarks.denial_trial $(ARGS)

# Outside of `make test`: fetches a collector of OpenTelemetry's traces into an environment of its own.
collector-trial: $(READY)
	$(BIN)/python -m benchmarks.collector_trial

# Outside of `make test`: needs a PostgreSQL with Citus, and says so where it finds none.
citus-trial: $(READY)
	$(BIN)/python -m benchmarks.citus $(ARGS)

# Outside of `make test`: a cluster of PostgreSQL that fails over under load; needs root for a network of its own, and
# of Debian: patroni, etcd-server, postgresql, haproxy, pgbouncer.
failover-trial: $(READY)
	$(BIN)/python -m benchmarks.failover $(ARGS)

# uv takes the certificates that this machine trusts, as pip does.
UV := $(BIN)/uv --quiet --system-certs pip
COMPILE := $(UV) compile --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"

# Pins what pyproject.toml names, for every Python that we support. ARGS=--upgrade takes the newest of everything.
lock: $(READY)
	$(COMPILE) $(ARGS) pyproject.toml -o requirements/run.txt
	$(COMPILE) $(ARGS) pyproject.toml --group test -c requirements/run.txt -o requirements/test.txt
	$(COMPILE) $(ARGS) --group build -c requirements/test.txt -o requirements/build.txt
	$(COMPILE) $(ARGS) --group uv -o requirements/uv.txt
	$(COMPILE) $(ARGS) --group audit -o requirements/audit.txt

AUDIT := .venv/audit

# Compares what is pinned with the advisories of PyPI, which it has to reach: `.ci/audit` tells one failure from the other.
audit: $(READY)
	@$(PYTHON) -m venv $(AUDIT)
	@$(UV) install --python $(AUDIT)/bin/python --no-deps --require-hashes -r requirements/audit.txt
	$(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/run.txt -r requirements/test.txt $(ARGS)

# The files name everything with its hash, so nothing is resolved and nothing else is fetched.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps

$(READY): pyproject.toml requirements/test.txt requirements/uv.txt
	@echo "Setting up .venv: a quarter of a minute with uv; two minutes where uv cannot be had and pip does it all"
	@$(PYTHON) -m venv .venv
	@$(PIP) --require-hashes -r requirements/uv.txt \
		&& $(UV) install --python $(BIN)/python --no-deps --require-hashes -r requirements/test.txt \
		|| $(PIP) --require-hashes -r requirements/test.txt
	@$(PIP) --no-build-isolation --editable .
	@touch $(READY)
