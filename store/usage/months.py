"""The parts of the events on PostgreSQL, one for each month: there before the month's first event, whenever that comes.

The calendar makes those of the months ahead; an event of any other month, early or late, makes its own. A part is made
beside the events and then attached, which holds up no one who reads or writes those of other months.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from store import bulk, locks
from store.digests import A_MONTH, month_of
from store.locks import Lock

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from store.engine import Session


DECEMBER = 12
# Not by `to_regclass`, which may answer from before somebody else's commit.
_MISSING = """SELECT m FROM unnest(%s::bigint[]) AS m WHERE NOT EXISTS (
    SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'usage_events'::regclass AND c.relname = 'usage_events_' || m
) ORDER BY m"""


def missing(session: Session, months: Iterable[int]) -> list[int]:
    """Those of some months, such as 202611, that have no part yet; SQLite needs none."""
    wanted = sorted(set(months))
    if not wanted or not bulk.is_postgresql(session):
        return []
    return [month for (month,) in bulk.fetch(session, _MISSING, (wanted,))]


def open_for(session: Session, instants: Iterable[datetime]) -> None:
    """Make room for events of some instants; before anything but their sources is held."""
    if bulk.is_postgresql(session):
        open_all(session, {month_of(instant) for instant in instants})


def open_all(session: Session, months: Iterable[int]) -> list[int]:
    """Make the parts of those of some months that have none; which ones those were."""
    if not missing(session, months):
        return []
    locks.hold(session, Lock.MONTHS)
    opened = missing(session, months)
    for month in opened:
        _attach(session, month)
    return opened


def _attach(session: Session, month: int) -> None:
    part, begin, end = f"usage_events_{month}", month * A_MONTH, _after(month) * A_MONTH
    session.exec_driver_sql(f"CREATE TABLE {part} (LIKE usage_events INCLUDING ALL)")
    session.exec_driver_sql(f"ALTER TABLE usage_events ATTACH PARTITION {part} FOR VALUES FROM ({begin}) TO ({end})")


def _after(month: int) -> int:
    return month + 1 if month % 100 < DECEMBER else month + 100 - DECEMBER + 1
