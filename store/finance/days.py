"""Days whose charges were added up: for good once their month was settled, each night while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import sqlalchemy as sa

from policy.kinds import EntryKind
from store import bulk
from store.tables.finance import charge_changes, charge_days, charge_lines
from store.tables.ledger import entries
from store.tables.usage import usage_days

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from store.engine import Session

_d, _l, _c, _e, _u = charge_days.c, charge_lines.c, charge_changes.c, entries.c, usage_days.c
_read_counts = msgspec.json.Decoder(dict[str, int]).decode
_encoder = msgspec.json.Encoder()


class Borne(NamedTuple):
    """What lines are told apart by: who bears them, and what was bought at which price."""

    cost_centre: str
    person_id: str
    """Empty where the month's files tell of no one."""
    project: str
    service_key: str
    provider: str
    model: str
    tier: str
    price_id: str
    context: int
    """The number of input tokens above which a price of its own holds; 0 for the usual one."""
    value_version: str


class KeptDay(NamedTuple):
    """A day as a month's file has it: of which entries, and what they come to."""

    month: str
    day: date
    effective_from: datetime
    effective_until: datetime
    posted_from: datetime
    posted_until: datetime
    lines: int
    cost_nano_usd: int
    debit_micro_tokens: int
    added_up_at: datetime
    bearers: str | None = None
    """Who bore whose use when it was added up; None once it is for good."""


_FIGURES = ("calls", "cost_nano_usd", "debit_micro_tokens", "counted")
_COLUMNS = (*Borne._fields, *_FIGURES, "counts")


def of_month(session: Session, month: str) -> dict[date, KeptDay]:
    """The days of a month's file that were added up; those before the month were corrected in it."""
    rows = session.execute(sa.select(*(_d[name] for name in KeptDay._fields)).where(_d.month == month))
    return {row.day: KeptDay(*row) for row in rows}


def keep(session: Session, day: KeptDay, meters: Sequence[str], lines: Iterable[tuple[Borne, Sequence[int]]]) -> None:
    """Keep a day's lines, instead of those there are.

    Figures are calls, nano-USD, micro-tokens, calls that counted requests, then the counts.
    """
    for table in (charge_lines, charge_days):
        session.execute(sa.delete(table).where(table.c.month == day.month, table.c.day == day.day))
    session.execute(sa.insert(charge_days).values(day._asdict()))
    on = bulk.day_codec(session)(day.day)
    rows = []
    for number, (borne, figures) in enumerate(lines):
        counts = {meter: count for meter, count in zip(meters, figures[len(_FIGURES) :], strict=True) if count}
        written = _encoder.encode(counts).decode()
        rows.append((day.month, on, number, *borne, *figures[: len(_FIGURES)], written))
    bulk.insert(session, charge_lines, ("month", "day", "number", *_COLUMNS), rows)


def lines(session: Session, month: str, day: date, meters: Sequence[str]) -> Iterator[tuple[Borne, list[int]]]:
    """A day's lines as they were kept, with the counts in the order of some meters."""
    width, nothing = len(Borne._fields), [0] * len(meters)
    places: Mapping[str, int] = {meter: place for place, meter in enumerate(meters)}
    for row in bulk.each(session, _statement(session), (month, bulk.day_codec(session)(day))):
        counted = nothing.copy()
        for meter, count in _read_counts(row[-1]).items():
            counted[places[meter]] = count
        yield Borne(*row[:width]), [*row[width:-1], *counted]


def _statement(session: Session) -> str:
    mark = "%s" if bulk.is_postgresql(session) else "?"
    columns = _COLUMNS
    return f"SELECT {', '.join(columns)} FROM charge_lines WHERE month = {mark} AND day = {mark} ORDER BY number"  # noqa: S608 - our own words


def news(session: Session, month: str) -> set[date]:
    """The days of a month about which usage was posted after what was added up of them."""
    later = sa.exists().where(
        _e.effective_at >= _d.effective_from,
        _e.effective_at < _d.effective_until,
        _e.posted_at >= _d.posted_until,
        _e.kind.in_((EntryKind.USAGE, EntryKind.REVERSAL)),
    )
    return set(session.execute(sa.select(_d.day).where(_d.month == month, later)).scalars())


def first_used(session: Session) -> date | None:
    """The first day on which anything was used."""
    first: date | None = session.execute(sa.select(sa.func.min(_u.day))).scalar_one()
    return first


def used(session: Session, days: tuple[date, date]) -> list[date]:
    """The days from one up to another on which anything was used."""
    query = sa.select(_u.day).distinct().where(_u.day >= days[0], _u.day < days[1]).order_by(_u.day)
    return list(session.execute(query).scalars())


def note_changes(session: Session, days: Iterable[date], *, now: datetime) -> None:
    """Note that usage of some days was corrected without a posting."""
    for day in sorted(days):
        changed = sa.update(charge_changes).where(_c.day == day).values(changed_at=now)
        bulk.insert_missing(session, charge_changes, ("day", "changed_at"), [_as_given(session, day, now)])
        session.execute(changed)


def _as_given(session: Session, day: date, now: datetime) -> tuple[object, object]:
    return bulk.day_codec(session)(day), bulk.instant_codec(session)(now)


def changes(session: Session, days: tuple[date, date]) -> dict[date, datetime]:
    """When usage of some days was last corrected without a posting."""
    rows = session.execute(sa.select(_c.day, _c.changed_at).where(_c.day >= days[0], _c.day < days[1]))
    return {day: at for day, at in rows}


def forget_changes(session: Session, day: date) -> None:
    """Of a day that was added up for good nothing changes any more."""
    session.execute(sa.delete(charge_changes).where(_c.day == day))
