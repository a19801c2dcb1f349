"""Days whose charges were added up once their month was settled, as finance's files have them from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import sqlalchemy as sa

from store import bulk
from store.tables.finance import charge_days, charge_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from store.engine import Session

_d, _l = charge_days.c, charge_lines.c
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


_FIGURES = ("calls", "cost_nano_usd", "debit_micro_tokens", "counted")
_COLUMNS = (*Borne._fields, *_FIGURES, "counts")


def of_month(session: Session, month: str) -> dict[date, KeptDay]:
    """The days that a month's file has for good; those before the month were corrected in it."""
    rows = session.execute(sa.select(*(_d[name] for name in KeptDay._fields)).where(_d.month == month))
    return {row.day: KeptDay(*row) for row in rows}


def keep(session: Session, day: KeptDay, meters: Sequence[str], lines: Iterable[tuple[Borne, Sequence[int]]]) -> None:
    """Keep a day's lines. Figures are calls, nano-USD, micro-tokens, calls that counted requests, then the counts."""
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
