# Everything a developer runs. Needs Python 3.11 or newer and make; the rest is fetched into .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Also where the machine keeps no compiled files, we do: without them each process takes seconds more to start.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test soak check fix bench gateway-trial

demo: $(READY)
	$(BIN)/tokens-bot demo $(ARGS)

test: $(READY)
	$(BIN)/pytest $(ARGS)

# Everything that `make test` does, on every database, with kills by the hundred and many more examples: half an hour.
soak: $(READY)
	$(BIN)/pytest --deep $(ARGS)

check: $(READY)
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

# Outside of `make test`: fetches LiteLLM into an environment of its own.
gateway-trial: $(READY)
	$(BIN)/python -m benchmarks.gateway_trial

# --inexact: uv itself lives there too, and is not in the lock file.
$(READY): pyproject.toml uv.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.13,<1"
	UV_PROJECT_ENVIRONMENT=.venv $(BIN)/uv sync --locked --inexact --quiet
	@touch $(READY)
