"""FOCUS files in each of the formats that tables have, written as the charges come."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from handlers import tables
from handlers.finance.focus_columns import COLUMNS, INSTANTS, NUMBERS, Rows
from handlers.tables import Column, Kind, Layout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handlers.finance.focus_columns import Spec
    from handlers.tables import Format
    from programme.finance.charges import Charge
    from programme.finance.months import Months


def write(out: BinaryIO, told: Months, charges: Iterable[Charge], spec: Spec, format_: Format) -> int:
    """Write a month's charges; how many rows there were."""
    # A text is made inert once, not in each row that has it.
    rows = Rows(told, spec, told.moment.zone, written=tables.inert if format_ == "csv" else str)
    return tables.write(out, layout(spec), map(rows.row, charges), format_)


def layout(spec: Spec) -> Layout:
    """The columns of a version."""
    columns = tuple(Column(name, _kind(name)) for name in COLUMNS[spec])
    return Layout(columns, is_inert=True, about={"focus_version": spec})


def _kind(name: str) -> Kind:
    if name in NUMBERS:
        return "number"
    return "instant" if name in INSTANTS else "text"
