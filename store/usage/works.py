"""What was taken in of work that gateways report again, and of calls that they report twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from store import bulk
from store.tables.usage import usage_works

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.metering import Meters
    from store.engine import Session

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
            "SELECT w.work, e.event_id, e.provider, e.meters FROM usage_works AS w JOIN usage_events AS e"
            " ON e.source = w.source AND e.event_id = w.event_id WHERE w.source = %s AND w.work = ANY(%s)"
        )
        rows = bulk.fetch(session, statement, (source, list(works)))
    else:
        statement = (
            "SELECT w.work, e.event_id, e.provider, e.meters FROM json_each(?) AS j CROSS JOIN usage_works AS w"
            " CROSS JOIN usage_events AS e WHERE w.source = ? AND w.work = j.value"
            " AND e.source = w.source AND e.event_id = w.event_id"
        )
        rows = bulk.fetch(session, statement, (_encode(works).decode(), source))
    return {work: _taken(row) for work, *row in rows}


def within(session: Session, source: str, ranges: Sequence[Range]) -> list[tuple[str, Taken]]:
    """(key of the range, event) for every event of a source that lies in one of some ranges of ids."""
    if bulk.is_postgresql(session):
        statement = (
            "SELECT r.key, e.event_id, e.provider, e.meters FROM unnest(%s::text[], %s::text[], %s::text[])"
            " AS r (key, after, before) JOIN usage_events AS e"
            " ON e.source = %s AND e.event_id > r.after AND e.event_id < r.before"
        )
        rows = bulk.fetch(session, statement, (*map(list, zip(*ranges, strict=True)), source))
    else:
        statement = (
            "SELECT json_extract(j.value, '$[0]'), e.event_id, e.provider, e.meters"
            " FROM json_each(?) AS j CROSS JOIN usage_events AS e WHERE e.source = ?"
            " AND e.event_id > json_extract(j.value, '$[1]') AND e.event_id < json_extract(j.value, '$[2]')"
        )
        rows = bulk.fetch(session, statement, (_encode(ranges).decode(), source))
    return [(key, _taken(row)) for key, *row in rows]


def _taken(row: Sequence[Any]) -> Taken:
    event_id, provider, meters = row
    return Taken(event_id, provider, msgspec.json.decode(meters) if isinstance(meters, str) else meters)


def note(session: Session, rows: Sequence[tuple[str, str, str]]) -> None:
    """Remember (source, work, event id) of work that is taken in; IntegrityError if somebody was faster."""
    bulk.insert(session, usage_works, ("source", "work", "event_id"), rows)
