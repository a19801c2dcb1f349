"""A ledger of each earlier release, with months of data in it, comes into this one whole."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from bot import rehearsals, wiring
from programme.app import App
from scheduler import messages as composing
from store import schema
from store.engine import open_database
from store.tables import metadata
from store.tables.outbox import outbox
from tests.conftest import DATABASES, ZONE
from tests.support import books, postgres, releases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from store.engine import Database
    from tests.support.clock import Clock


@pytest.fixture(params=DATABASES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables."""
    if request.param == "sqlite":
        database = open_database(f"sqlite:///{tmp_path / 'tokens.db'}")
        yield database
        database.close()
        return
    server, name = request.getfixturevalue("postgres_url"), f"release_{uuid4().hex}"
    postgres.administer(server, f"CREATE DATABASE {name}")
    database = open_database(postgres.in_database(server, name))
    yield database
    database.close()
    postgres.administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.every_database
@pytest.mark.parametrize("release", releases.known())
def test_a_release_is_upgraded_whole(release: str, empty: Database, tmp_path: Path, clock: Clock) -> None:
    """No row is lost, the tables are this version's, every figure holds, and what was owed to Slack can be said."""
    if empty.dialect == "sqlite":
        releases.unpack(release, tmp_path / "tokens.db")
    else:
        releases.unpack_on_postgres(release, empty, tmp_path / "kept.db")
    app = App(empty, ZONE, clock)
    assert rehearsals.upgrade(app).lost == {}
    wiring.migrate(app)
    wiring.require_ready(app)
    with app.database.reading() as session:
        context = MigrationContext.configure(session, opts={"include_name": schema.is_table})
        assert compare_metadata(context, metadata) == []
        owed = session.execute(sa.select(outbox.c.template, outbox.c.view).where(outbox.c.state != "sent")).all()
    assert books.findings(app) == {}
    assert owed
    for template, view in owed:
        composing.compose(template, view, app=app)
