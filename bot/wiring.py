"""The composition root: an app for the settings, on a ledger that is there and up to date."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot import outgoing
from policy.reasons import Refusal
from programme import handbooks
from programme.app import App, utc_now
from programme.handbook import applying
from programme.usage import months_ahead
from store import schema
from store.engine import DatabaseUrlError, open_database
from store.handbook import reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from bot.settings import Settings

TIME_ZONE = "time_zone"

COLLECTOR_THRESHOLDS = (100_000, 50, 100)
"""A batch makes ten thousands of tuples, none of them in a cycle: with Python's own thresholds the collector would go
through all of them again and again, for a fifth of the time that the batch takes."""


def new_app(settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> App:
    """An app on the database of the settings, wherever that stands."""
    outgoing.refuse_redirects()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)
    try:
        database = open_database(settings.database_url, settings.database_read_url)
    except DatabaseUrlError as error:
        setting = str(error).partition(" ")[0]
        raise Refusal("database_url", f"{error}.", next_step=f"Correct {setting}.") from error
    return App(
        database,
        settings.zone,
        clock,
        governance_channel=settings.governance_channel,
        board_usergroup=settings.board_usergroup,
        recruiters_channel=settings.recruiters_channel,
    )


@contextmanager
def open_app(settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> Iterator[App]:
    """An app whose database is at this version's revision, in this programme's zone; closed at the end."""
    app = new_app(settings, clock=clock)
    try:
        require_ready(app)
        yield app
    finally:
        app.database.close()


def require_ready(app: App) -> None:
    """Refuse a database without tables, at another revision, or whose days were cut in another zone."""
    with app.database.reading() as session:
        revision = schema.current_revision(session)
        if revision != schema.head_revision():
            state = f"is at revision {revision}" if revision else "has no tables"
            raise Refusal("not_migrated", f"The database {state}.", next_step="Run `tokens-bot migrate`.")
        recorded = reference.fact(session, TIME_ZONE)
    if recorded != app.zone.key:
        raise Refusal(
            "time_zone_changed",
            f"TOKENS_TIME_ZONE is {app.zone.key}, but this ledger's days were counted in {recorded}.",
            next_step=f"Set TOKENS_TIME_ZONE={recorded}: past days cannot be counted again.",
        )


def migrate(app: App, *, handbook: str | None = None) -> None:
    """Bring the database to the newest revision, with a handbook and its time zone on record."""
    schema.upgrade(app.database)
    now = app.clock()
    with app.transaction(now) as moment:
        reference.record_fact(moment.session, TIME_ZONE, app.zone.key)
        if handbook is not None and not reference.handbook_bodies(moment.session):
            applying.apply(moment, handbook, actor=handbooks.SYSTEM)
        applying.ensure_first(moment)
        months_ahead.open_all(moment)
