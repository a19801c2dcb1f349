"""A vendor's lines: what stands, and what a later report of the same days made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from policy.units import NanoUSD
from policy.vendors import Line, Place
from store import bulk
from store.tables.vendors import vendor_lines, vendor_syncs
from store.usage.events import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from store.engine import Session

_l, _s = vendor_lines.c, vendor_syncs.c
_COLUMNS = ("vendor", *Place._fields, "meters", "calls", "amount_nano_usd", "sync_id")


class Window(NamedTuple):
    """Days of a vendor, both included."""

    vendor: str
    first: date
    last: date


class Sync(NamedTuple):
    """A report that was fetched: how many lines it had, and how many were new, other than before, or gone."""

    vendor: str
    first_day: date
    last_day: date
    synced_at: datetime
    actor: str
    lines: int
    added: int
    changed: int
    gone: int


class Standing(NamedTuple):
    """A line that stands, and its number."""

    id: int
    line: Line


def _within(window: Window) -> sa.ColumnElement[bool]:
    return sa.and_(_l.vendor == window.vendor, _l.day.between(window.first, window.last), _l.ended_by.is_(None))


def standing(session: Session, window: Window) -> list[Standing]:
    """The lines that stand of some days."""
    query = sa.select(_l.id, *(_l[name] for name in Place._fields), _l.meters, _l.calls, _l.amount_nano_usd)
    return [_read(row) for row in session.execute(query.where(_within(window)))]


def _read(row: Any) -> Standing:  # noqa: ANN401 - a row
    id_, *place, meters, calls, amount = row
    return Standing(id_, Line(Place(*place), meters, calls, None if amount is None else NanoUSD(amount)))


def note_sync(session: Session, sync: Sync) -> int:
    """Record that a vendor's days were asked for; its number."""
    [id_] = bulk.allocate_ids(session, vendor_syncs, 1)
    session.execute(sa.insert(vendor_syncs).values(id=id_, **sync._asdict()))
    return id_


def add(session: Session, sync_id: int, vendor: str, lines: Iterable[Line]) -> None:
    """Add lines that stand from a sync on."""
    day = bulk.day_codec(session)
    rows = [
        (vendor, *one.place._replace(day=day(one.place.day)), json_text(one.meters), one.calls, _usd(one), sync_id)
        for one in lines
    ]
    bulk.insert(session, vendor_lines, _COLUMNS, rows)


def _usd(line: Line) -> int | None:
    return None if line.amount is None else int(line.amount)


def end(session: Session, sync_id: int, ids: Sequence[int]) -> None:
    """Lines that a sync said no more, or otherwise."""
    bulk.update(session, vendor_lines, ("id", "ended_by"), [(id_, sync_id) for id_ in ids])


def latest_syncs(session: Session, *, limit: int = 20, vendor: str | None = None) -> list[Sync]:
    """The last syncs, of all vendors or one, the latest first."""
    query = sa.select(*(_s[name] for name in Sync._fields)).order_by(_s.id.desc()).limit(limit)
    if vendor is not None:
        query = query.where(_s.vendor == vendor)
    return [Sync._make(row) for row in session.execute(query)]


def synced_until(session: Session, vendor: str) -> date | None:
    """The last day that a vendor was ever asked for."""
    last: date | None = session.execute(sa.select(sa.func.max(_s.last_day)).where(_s.vendor == vendor)).scalar_one()
    return last


def synced_within(session: Session, window: Window) -> bool:
    """Whether every one of some days was asked for."""
    query = sa.select(_s.first_day, _s.last_day).where(_s.vendor == window.vendor, _s.last_day >= window.first)
    reached = window.first.toordinal() - 1
    for first, last in sorted(tuple(row) for row in session.execute(query)):
        if first.toordinal() > reached + 1:
            break
        reached = max(reached, last.toordinal())
    return reached >= window.last.toordinal()
