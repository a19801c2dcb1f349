"""Reports from a copy of the database that follows it: whether it may be read, and of when it is.

A copy is used as long as it answers, has the tables of this version, and is little behind. Else, or where it has
otherwise who may see what, the database itself is read.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store import engine, schema
from store.tables.outbox import processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from store.engine import Database, Session

logger = logging.getLogger(__name__)

MOST_BEHIND = timedelta(minutes=5)
"""What is older is no report of now; and who left or changed teams may see so long what they saw before."""
_REPLAYED = sa.text("SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_xact_replay_timestamp() END")


class Source(NamedTuple):
    """Where a report is read, and of when that is; None for the database itself, which is of now."""

    session: Session
    as_of: datetime | None


class UnfitError(Exception):
    """Why a copy is not read."""


@contextmanager
def reporting(
    database: Database,
    now: datetime,
    *,
    throughout: bool = False,
    same: Callable[[Session], object] | None = None,
) -> Iterator[Source]:
    """A session for what is only told, and decides nothing; with `throughout` it sees one state of everything.

    `same` reads what decides who may see it: a copy that has it otherwise than the database is not read.
    """
    with ExitStack() as stack:
        source = _copy(stack, database, now, throughout=throughout, same=same) if database.copy is not None else None
        if source is None:
            session = stack.enter_context(database.snapshot() if throughout else database.reading())
            source = Source(session, None)
        yield source


def _copy(
    stack: ExitStack, database: Database, now: datetime, *, throughout: bool, same: Callable[[Session], object] | None
) -> Source | None:
    try:
        with ExitStack() as opened:
            session = opened.enter_context(database.of_copy(throughout=throughout))
            as_of = require_fit(session, now)
            if same is not None:
                with database.reading() as here:
                    if same(here) != same(session):
                        return None
            stack.enter_context(opened.pop_all())
            return Source(session, as_of)
    except UnfitError as error:
        logger.warning("reports are read from the database itself: the copy %s", error)
    except sa.exc.DBAPIError as error:
        if not engine.is_out_of_reach(error):
            raise
        logger.warning("reports are read from the database itself: the copy gave %s", type(error).__name__)
    return None


def require_fit(session: Session, now: datetime) -> datetime:
    """Of when a copy is: everything that was committed until then is in it. An UnfitError where it may not be read."""
    if (revision := schema.current_revision(session)) != schema.head_revision():
        raise UnfitError(f"is at revision {revision}")
    # A copy of another kind than a standby tells no time: the bot's own pulses, two a minute, are of their time.
    as_of: datetime | None = session.execute(_REPLAYED).scalar_one()
    if as_of is None:
        as_of = session.execute(sa.select(sa.func.max(processes.c.seen_at))).scalar_one()
    if as_of is None:
        raise UnfitError("does not tell of when it is")
    if now - as_of > MOST_BEHIND:
        raise UnfitError(f"is of {as_of:%Y-%m-%d %H:%M:%S} UTC")
    return min(as_of, now)
