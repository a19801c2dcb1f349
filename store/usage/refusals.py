"""What was answered with conflict or rejected: how often, on which day, for what reason, and the newest of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import sqlalchemy as sa

from store import bulk
from store.tables.intake import usage_refusals, usage_rejections
from store.tables.usage import usage_conflicts
from store.usage.events import content, json_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from policy.metering import UsageEvent
    from store.engine import Session

Status = Literal["conflict", "rejected"]
Counted = tuple[str, Status, str]
"""(source, status, reason)"""

MOST_KEPT = 1_000
"""Rejected events of a source and reason that are kept: a gateway that is set up wrongly may send millions."""

_r, _c, _k = usage_refusals.c, usage_conflicts.c, usage_rejections.c


class Refusals(NamedTuple):
    """So many events of a source that were answered in one way for one reason."""

    source: str
    status: Status
    reason: str
    events: int


class Conflict(NamedTuple):
    """A content that was offered under an id that stands for another one."""

    source: str
    event_id: str
    offered: Mapping[str, Any]
    first_seen_at: datetime
    last_seen_at: datetime
    times: int


class Rejection(NamedTuple):
    """An event that was rejected, as far as it could be read, and what was expected instead."""

    source: str
    event_id: str
    reason: str
    detail: str
    first_seen_at: datetime
    last_seen_at: datetime
    times: int


def count(session: Session, day: date, counts: Mapping[Counted, int]) -> None:
    """Add to the day's counts; in the order of the key, as everyone does."""
    on = bulk.day_codec(session)(day)
    rows = [(on, *counted, events) for counted, events in sorted(counts.items())]
    bulk.add_up(session, usage_refusals, ("day", "source", "status", "reason", "events"), rows, key=4)


def keep_conflicts(
    session: Session, offers: Mapping[tuple[str, str, bytes], tuple[UsageEvent, int]], now: datetime
) -> None:
    """Keep what was offered, by source, id and fingerprint, and how often."""
    seen = bulk.instant_codec(session)(now)
    rows = [(*key, json_text(content(event)), seen, seen, times) for key, (event, times) in sorted(offers.items())]
    columns = ("source", "event_id", "fingerprint", "offered", "first_seen_at", "last_seen_at", "times")
    _add_or_renew(session, usage_conflicts, columns, rows, key=("source", "event_id", "fingerprint"))


def keep_rejections(
    session: Session, source: str, by_reason: Mapping[str, Mapping[str, tuple[str, int]]], now: datetime
) -> None:
    """Keep rejected events, by reason and id as (detail, how often): the newest of each reason."""
    seen = bulk.instant_codec(session)(now)
    columns = ("source", "reason", "event_id", "detail", "first_seen_at", "last_seen_at", "times")
    for reason, events in sorted(by_reason.items()):
        newest = list(events.items())[-MOST_KEPT:]
        rows = [(source, reason, event_id, detail, seen, seen, times) for event_id, (detail, times) in newest]
        _add_or_renew(session, usage_rejections, columns, rows, key=("source", "reason", "event_id"))
        same = (_k.source == source, _k.reason == reason)
        last = sa.select(_k.id).where(*same).order_by(_k.id.desc()).limit(1).offset(MOST_KEPT)
        session.execute(sa.delete(usage_rejections).where(*same, _k.id <= last.scalar_subquery()))


def _add_or_renew(
    session: Session, table: sa.Table, columns: Sequence[str], rows: Sequence[bulk.Row], *, key: Sequence[str]
) -> None:
    """Add rows; of those that exist, count the times and note the last one."""
    if not rows:
        return
    marks = ", ".join(["%s" if bulk.is_postgresql(session) else "?"] * len(columns))
    statement = (
        f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names of our own
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE"
        f" SET times = {table.name}.times + excluded.times, last_seen_at = excluded.last_seen_at"
    )
    session.exec_driver_sql(statement, list(rows))


def totals(session: Session, *, since: date | None = None) -> list[Refusals]:
    """How many there were, ever or since a day."""
    query = sa.select(_r.source, _r.status, _r.reason, sa.func.sum(_r.events))
    if since is not None:
        query = query.where(_r.day >= since)
    return _refusals(session, query)


def told_on(session: Session, day: date) -> list[Refusals]:
    """Those of which administrators are told on a day."""
    query = sa.select(_r.source, _r.status, _r.reason, sa.func.sum(_r.events))
    return _refusals(session, query.where(_r.told_on == day))


def _refusals(session: Session, query: sa.Select[Any]) -> list[Refusals]:
    key = (_r.source, _r.status, _r.reason)
    rows = session.execute(query.group_by(*key).order_by(*key))
    return [Refusals(source, status, reason, int(events)) for source, status, reason, events in rows]


def days_told_on(session: Session, day: date) -> tuple[date, date] | None:
    """The first and the last of the days of which administrators are told on a day."""
    query = sa.select(sa.func.min(_r.day), sa.func.max(_r.day)).where(_r.told_on == day)
    first, last = session.execute(query).one()
    return None if first is None else (first, last)


_untold = sa.text("usage_refusals.told_on IS NULL")
"""In the words of the index."""


def is_to_tell(session: Session, before: date) -> bool:
    """Whether there were any before a day of which no one was told."""
    query = sa.select(_r.day).where(_untold, _r.day < before).limit(1)
    return session.execute(query).one_or_none() is not None


def note_told(session: Session, before: date, *, on: date) -> int:
    """Those before a day are told of on another; how many counts that are."""
    told = sa.update(usage_refusals).where(_untold, _r.day < before)
    return session.execute(told.values(told_on=on)).rowcount


def conflicts(session: Session, *, limit: int, source: str | None = None) -> list[Conflict]:
    """What was offered, by everyone or one source, the latest first."""
    query = sa.select(*(_c[name] for name in Conflict._fields)).where(*_of(_c, source))
    query = query.order_by(_c.last_seen_at.desc(), _c.source, _c.event_id, _c.fingerprint).limit(limit)
    return [Conflict(*row) for row in session.execute(query)]


def _of(columns: sa.ColumnCollection[str, sa.Column[Any]], source: str | None) -> list[sa.ColumnElement[bool]]:
    return [] if source is None else [columns.source == source]


def count_conflicts(session: Session, *, source: str | None = None) -> int:
    """How many contents were refused, each once."""
    query = sa.select(sa.func.count()).select_from(usage_conflicts).where(*_of(_c, source))
    return session.execute(query).scalar_one()


def rejections(session: Session, *, limit: int, source: str | None = None) -> list[Rejection]:
    """Rejected events, of everyone or one source, the latest first."""
    query = sa.select(*(_k[name] for name in Rejection._fields)).where(*_of(_k, source))
    return [
        Rejection(*row) for row in session.execute(query.order_by(_k.last_seen_at.desc(), _k.id.desc()).limit(limit))
    ]
