"""What an upgrade would take long for, done ahead of it while the version of before goes on with its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.reasons import Refusal
from store import schema
from store.migrations import months

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from store.engine import Session
    from store.migrations.months import Moved


def copy_ahead(app: App) -> Iterator[Moved]:
    """Copy a PostgreSQL's events into months, a batch and transaction at a time, until only the exchange is left.

    Whoever is killed goes on where they were; what the version of before writes meanwhile is copied as well.
    """
    if app.database.dialect == "sqlite":
        raise Refusal("sqlite", "A SQLite file is brought up to date at once.", next_step="Run `tokens-bot migrate`.")
    with schema.changing(app.database) as session:
        _begin(session)
    is_done = False
    while not is_done:
        with schema.changing(app.database) as session:
            _begin(session)
            moved = months.advance(session)
        yield moved
        is_done = moved.is_done


def _begin(session: Session) -> None:
    """Make what is copied into, if nobody has; refuse where there is nothing to copy, or somebody has finished."""
    if months.is_begun(session):
        return
    tables = sa.inspect(session)
    if not tables.has_table("usage_events") or tables.has_table("usage_ids"):
        raise Refusal("nothing_ahead", "There is nothing to copy ahead.", next_step="Run `tokens-bot migrate`.")
    if "revision" not in {column["name"] for column in tables.get_columns("usage_events")}:
        text = "The tables are of a version that kept less of each event."
        raise Refusal("too_old", text, next_step="Stop the bot and run `tokens-bot migrate`: it does all of it.")
    months.begin(session)
