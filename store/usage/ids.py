"""Which events were ever taken in, by their digests, and where each of them is: the number by which it is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from store import bulk
from store.digests import A_MONTH, digest, digest_of, month_of
from store.tables.usage import usage_events, usage_ids

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from store.engine import Session

Key = tuple[str, str]
"""(source, event id)"""


def with_events(named: sa.FromClause) -> sa.Join:
    """Rows that name an event by source and id, each with that event."""
    return named.join(usage_ids, usage_ids.c.digest == digest_of(named.c.source, named.c.event_id)).join(
        usage_events, usage_events.c.id == usage_ids.c.event
    )


def named_in(table: sa.Table) -> sa.ColumnElement[bool]:
    """That a table names an event by source and id, for tables with few rows."""
    return usage_events.c.id.in_(
        sa.select(usage_ids.c.event).join(table, usage_ids.c.digest == digest_of(table.c.source, table.c.event_id))
    )


def among(session: Session, keys: Collection[Key]) -> sa.ColumnElement[bool]:
    """That an event is one of some; by their numbers, so that only their months are looked at."""
    return usage_events.c.id.in_(list(numbers(session, keys).values()))


def after(key: Key) -> sa.ColumnElement[bool]:
    """That an event has a higher number than another one, or than none."""
    number = sa.select(usage_ids.c.event).where(usage_ids.c.digest == digest(*key)).scalar_subquery()
    return usage_events.c.id > sa.func.coalesce(number, 0)


def numbers(session: Session, keys: Collection[Key]) -> dict[Key, int]:
    """The numbers of those of some events that were taken in."""
    if not keys:
        return {}
    if bulk.is_postgresql(session):
        of = {digest(*key): key for key in keys}
        statement = "SELECT digest, event FROM usage_ids WHERE digest = ANY(%s)"
        return {of[bytes(found)]: number for found, number in bulk.fetch(session, statement, (list(of),))}
    statement = (
        "SELECT json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]'), i.event"
        " FROM json_each(?) AS j CROSS JOIN usage_ids AS i"
        " WHERE i.digest = usage_digest(json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]'))"
    )
    rows = bulk.fetch(session, statement, (msgspec.json.encode(list(keys)).decode(),))
    return {(source, event_id): number for source, event_id, number in rows}


def add(session: Session, keys: Sequence[tuple[str, str, datetime]]) -> list[int]:
    """Give new events, (source, event id, instant), their numbers; IntegrityError if one of them is known."""
    given = _given(session, [month_of(at) for *_, at in keys])
    rows = [(digest(source, event_id), number) for (source, event_id, _), number in zip(keys, given, strict=True)]
    bulk.insert(session, usage_ids, ("digest", "event"), rows)
    return given


def _given(session: Session, months: Sequence[int]) -> list[int]:
    """A fresh number for each of some events, by their months."""
    if bulk.is_postgresql(session):
        statement = "SELECT nextval('usage_numbers') FROM generate_series(1, %s)"
        fresh = bulk.fetch(session, statement, (len(months),))
        return [month * A_MONTH + number for month, (number,) in zip(months, fresh, strict=True)]
    # The write lock is ours, and events are never deleted.
    last = {month: _last(session, month) for month in set(months)}
    given = []
    for month in months:
        last[month] += 1
        given.append(last[month])
    return given


def _last(session: Session, month: int) -> int:
    begin = month * A_MONTH
    statement = "SELECT coalesce(max(id), ?) FROM usage_events WHERE id >= ? AND id < ?"
    [(last,)] = bulk.fetch(session, statement, (begin, begin, begin + A_MONTH))
    return int(last)


def change(session: Session, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> int:
    """Set columns of events; each row has source, event id, and a value for each column."""
    found = numbers(session, [row[:2] for row in rows])
    known = [(found[row[:2]], *row[2:]) for row in rows if row[:2] in found]
    return bulk.update(session, usage_events, ("id", *columns), known, in_parts=True)
