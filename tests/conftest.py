"""What all tests share: an app on a real SQLite file and on a real PostgreSQL, with the cast in place."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import tempfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings

from bot import logs
from programme.app import App
from store.engine import open_database
from tests.support import cast, depth, memory, postgres
from tests.support.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.engine import Database

ZONE = ZoneInfo("Europe/Berlin")
DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--snapshot-update",
        action="store_true",
        help="Write tests/templates/golden, and tables in guides that tests find, anew.",
    )
    parser.addoption("--deep", action="store_true", help="Every test on every database, with many more examples.")


def pytest_configure(config: pytest.Config) -> None:
    # Workers share the cores already: threads of numpy's that wait for each other take twice the time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    depth.register()
    settings.load_profile(depth.DEEP if config.getoption("deep") else depth.QUICK)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A quick run leaves out what is `deep`, and has PostgreSQL only where a test is for `every_database`."""
    if config.getoption("deep"):
        return
    left_out = list(filter(is_deep, items))
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not is_deep(item)]


def pytest_collection_finish() -> None:
    """What is imported stays: searching it for garbage again and again is a tenth of a run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def is_deep(item: pytest.Item) -> bool:
    marks = {mark.name for mark in item.iter_markers()}
    return "deep" in marks or ("postgresql" in marks and "every_database" not in marks)


@pytest.fixture(autouse=True)
def _process() -> Iterator[None]:
    """What a command sets up of its whole process, the log and redirects, does not stay for the tests that follow."""
    loggers = [logging.getLogger(name) for name in (None, *logs.OURS, *logs.CHATTY)]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    urllib.request.install_opener(None)  # The next request makes the usual one.


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgres.server() as url:
        yield url


@pytest.fixture(scope="session")
def in_memory() -> Iterator[Path]:
    """A folder for ledgers that are thrown away, on no disk where that can be had."""
    with tempfile.TemporaryDirectory(prefix="tokens-", dir=memory.folder()) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def settled_sqlite(in_memory: Path) -> Path:
    """A migrated file with the cast in it, copied for each test."""
    path = in_memory / "template.db"
    app = App(open_database(f"sqlite:///{path}"), ZONE, Clock())
    cast.settle(app)
    app.database.close()
    return path


@pytest.fixture(scope="session")
def settled_postgres(postgres_url: str) -> str:
    """A migrated database with the cast in it, cloned for each test."""
    name = f"template_{uuid4().hex}"
    postgres.administer(postgres_url, f"CREATE DATABASE {name}")
    app = App(open_database(postgres.in_database(postgres_url, name)), ZONE, Clock())
    cast.settle(app)
    app.database.close()
    return name


@pytest.fixture(scope="session")
def sqlite_engines(in_memory: Path) -> Database:
    """Engines on one file that each test replaces: what they have compiled once, no later test compiles."""
    return open_database(f"sqlite:///{in_memory / 'tokens.db'}")


@pytest.fixture(scope="session")
def postgres_engines(postgres_url: str) -> Database:
    """The same on one name, under which each test finds a database of its own."""
    return open_database(postgres.in_database(postgres_url, f"test_{uuid4().hex}"))


@pytest.fixture
def sqlite_url(settled_sqlite: Path, sqlite_engines: Database) -> Iterator[str]:
    url = sqlite_engines.writer.url
    path = Path(str(url.database))
    shutil.copy(settled_sqlite, path)
    yield url.render_as_string()
    sqlite_engines.close()
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()


@pytest.fixture
def cloned_postgres_url(postgres_url: str, settled_postgres: str, postgres_engines: Database) -> Iterator[str]:
    url = postgres_engines.writer.url
    postgres.administer(postgres_url, f"CREATE DATABASE {url.database} TEMPLATE {settled_postgres}")
    yield url.render_as_string(hide_password=False)
    postgres_engines.close()
    postgres.administer(postgres_url, f"DROP DATABASE {url.database} WITH (FORCE)")


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """A database of its own for the test, migrated and with the cast in it: a test that asks runs on each of them."""
    name = "sqlite_url" if request.param == "sqlite" else "cloned_postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def app(database_url: str, request: pytest.FixtureRequest, clock: Clock) -> App:
    """An app on that database, in Berlin, at noon of a Friday."""
    engines = "sqlite_engines" if database_url.startswith("sqlite") else "postgres_engines"
    return App(request.getfixturevalue(engines), ZONE, clock)


@pytest.fixture
def sqlite_app(sqlite_url: str, sqlite_engines: Database, clock: Clock) -> App:  # noqa: ARG001 - puts the file there
    """The same on SQLite alone, for what no database changes."""
    return App(sqlite_engines, ZONE, clock)


@pytest.fixture(scope="module", params=DATABASES)
def shared_app(request: pytest.FixtureRequest, in_memory: Path) -> Iterator[App]:
    """A app with the cast, on each database, for tests that roll back what they do."""
    if request.param == "sqlite":
        settled: Path = request.getfixturevalue("settled_sqlite")
        path = Path(shutil.copy(settled, in_memory / f"shared_{uuid4().hex}.db"))
        app = App(open_database(f"sqlite:///{path}"), ZONE, Clock())
        yield app
        app.database.close()
        path.unlink()
        return
    server: str = request.getfixturevalue("postgres_url")
    template, name = request.getfixturevalue("settled_postgres"), f"shared_{uuid4().hex}"
    postgres.administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    app = App(open_database(postgres.in_database(server, name)), ZONE, Clock())
    yield app
    app.database.close()
    postgres.administer(server, f"DROP DATABASE {name} WITH (FORCE)")
