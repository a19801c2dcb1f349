"""What was taken in of work that gateways report again, and of calls that they report twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from store import bulk
from store.digests import SIZE, head, on_postgresql
from store.tables.usage import usage_works

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.metering import Meters
    from store.engine import Session

DIGEST = on_postgresql("w.source", "w.event_id")
_encode = msgspec.json.Encoder().encode


class Taken(NamedTuple):
    """An event that was taken in before."""

    event_id: str
    provider: str
    meters: Meters


class Range(NamedTuple):
    """Event ids between two bounds, neither of them included; `key` names the range in the answer."""

    key: str
    after: str
    before: str


def known(session: Session, source: str, works: Sequence[str]) -> dict[str, Taken]:
    """Those pieces of work of a source that arrived before, with the event of each. One short seek for each work."""
    if bulk.is_postgresql(session):
        statement = (
            "SELECT w.work, e.event_id, e.provider, e.meters FROM usage_works AS w"  # noqa: S608 - our own words
            f" JOIN usage_ids AS i ON i.digest = {DIGEST}"
            " JOIN usage_events AS e ON e.id = i.event WHERE w.source = %s AND w.work = ANY(%s)"
        )
        rows = bulk.fetch(session, statement, (source, list(works)))
    else:
        statement = (
            "SELECT w.work, e.event_id, e.provider, e.meters FROM json_each(?) AS j CROSS JOIN usage_works AS w"
            " CROSS JOIN usage_ids AS i CROSS JOIN usage_events AS e WHERE w.source = ? AND w.work = j.value"
            " AND i.digest = usage_digest(w.source, w.event_id) AND e.id = i.event"
        )
        rows = bulk.fetch(session, statement, (_encode(works).decode(), source))
    return {work: _taken(row) for work, *row in rows}


def within(session: Session, source: str, ranges: Sequence[Range]) -> list[tuple[str, Taken]]:
    """(key of the range, event) for every event of a source that lies in one of some ranges of ids.

    A range is of one call and shorter than a second, so that digests of what lies in it begin as those of its bounds.
    """
    heads = [(one, begin) for one in ranges for begin in sorted({head(source, id_) for id_ in (one.after, one.before)})]
    if bulk.is_postgresql(session):
        statement = (
            "SELECT r.key, e.event_id, e.provider, e.meters"
            " FROM unnest(%s::text[], %s::text[], %s::text[], %s::bytea[], %s::bytea[])"
            " AS r (key, after, before, first, last) JOIN usage_ids AS i ON i.digest BETWEEN r.first AND r.last"
            " JOIN usage_events AS e ON e.id = i.event AND e.source = %s"
            " AND e.event_id > r.after AND e.event_id < r.before"
        )
        columns = zip(*((*one, *_all_of(begin)) for one, begin in heads), strict=True)
        rows = bulk.fetch(session, statement, (*map(list, columns), source))
        return [(key, _taken(row)) for key, *row in rows]
    statement = (
        "SELECT e.event_id, e.provider, e.meters FROM usage_ids AS i CROSS JOIN usage_events AS e"
        " WHERE i.digest BETWEEN ? AND ? AND e.id = i.event AND e.source = ? AND e.event_id > ? AND e.event_id < ?"
    )
    return [
        (one.key, _taken(row))
        for one, begin in heads
        for row in bulk.fetch(session, statement, (*_all_of(begin), source, one.after, one.before))
    ]


def _all_of(begin: bytes) -> tuple[bytes, bytes]:
    """The first and the last digest that begins so."""
    return begin.ljust(SIZE, b"\x00"), begin.ljust(SIZE, b"\xff")


def _taken(row: Sequence[Any]) -> Taken:
    event_id, provider, meters = row
    return Taken(event_id, provider, msgspec.json.decode(meters) if isinstance(meters, str) else meters)


def note(session: Session, rows: Sequence[tuple[str, str, str]]) -> None:
    """Remember (source, work, event id) of work that is taken in; IntegrityError if somebody was faster."""
    bulk.insert(session, usage_works, ("source", "work", "event_id"), rows)
