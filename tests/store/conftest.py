"""A ledger that all tests of a module share."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from programme.desk import Desk
from store.engine import open_database
from tests.conftest import ZONE
from tests.support.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with the cast, on each database, for tests that roll back what they do."""
    if request.param == "sqlite":
        settled: Path = request.getfixturevalue("settled_sqlite")
        path = shutil.copy(settled, tmp_path_factory.mktemp("shared"))
        desk = Desk(open_database(f"sqlite:///{path}"), ZONE, Clock())
        yield desk
        desk.database.close()
        return
    server = open_database(request.getfixturevalue("postgres_url"))
    template, name = request.getfixturevalue("settled_postgres"), f"shared_{uuid4().hex}"
    with server.reading() as session:
        session.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    url = server.writer.url.set(database=name).render_as_string(hide_password=False)
    desk = Desk(open_database(url), ZONE, Clock())
    yield desk
    desk.database.close()
    with server.reading() as session:
        session.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.close()


@pytest.fixture
def desk_on_postgres(cloned_postgres_url: str) -> Iterator[Desk]:
    """A desk on PostgreSQL alone, for what only happens there."""
    desk = Desk(open_database(cloned_postgres_url), ZONE, Clock())
    yield desk
    desk.database.close()
