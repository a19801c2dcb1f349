"""A ledger of each earlier release, with months of data in it, comes into this one whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from bot import rehearsals, wiring
from programme.app import App
from scheduler import messages as composing
from store.engine import open_database
from store.tables import metadata
from store.tables.outbox import outbox
from tests.conftest import ZONE
from tests.support import books, releases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.clock import Clock


@pytest.mark.parametrize("release", releases.known())
def test_a_release_is_upgraded_whole(release: str, tmp_path: Path, clock: Clock) -> None:
    """No row is lost, the tables are this version's, every figure holds, and what was owed to Slack can be said."""
    releases.unpack(release, tmp_path / "tokens.db")
    app = App(open_database(f"sqlite:///{tmp_path / 'tokens.db'}"), ZONE, clock)
    assert rehearsals.upgrade(app).lost == {}
    wiring.migrate(app)
    wiring.require_ready(app)
    with app.database.reading() as session:
        assert compare_metadata(MigrationContext.configure(session), metadata) == []
        owed = session.execute(sa.select(outbox.c.template, outbox.c.view).where(outbox.c.state != "sent")).all()
    assert books.findings(app) == {}
    assert owed
    for template, view in owed:
        composing.compose(template, view, app=app)
    app.database.close()
