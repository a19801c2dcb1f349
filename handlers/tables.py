"""Tables as CSV, JSON or Parquet, written as their rows come: memory does not follow the number of rows.

The one writer of every export. What CSV leaves empty is null in the others. Amounts are decimal numbers in CSV and
Parquet, and texts of them in JSON, where most programs would make floats of numbers.
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple, get_args

from policy.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Format = Literal["csv", "json", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
Kind = Literal["text", "number", "whole", "flag", "instant"]
"""`number` is a text of a decimal number, `instant` one of ISO 8601 with an offset, `whole` an integer."""
DECIMALS = 15
"""Of a number in Parquet: what a unit of a meter costs has no more."""
_LINES, _AT_ONCE = 1_000, 10_000
_FORMULA = ("=", "+", "-", "@", "\t", "\n", *"\uff1d\uff0b\uff0d\uff20")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_KINDS: Mapping[str, Kind] = {"int": "whole", "bool": "flag", "Decimal": "number"}


class Column(NamedTuple):
    """A column by its name, and what its cells are."""

    name: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a table; `is_inert` where its texts are made so already, `about` is kept in a file of Parquet."""

    columns: tuple[Column, ...]
    is_inert: bool = False
    about: Mapping[str, str] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def layout_of(kind: type) -> Layout:
    """That of the fields of a dataclass; amounts are texts of numbers there."""
    return Layout(tuple(Column(one.name, _KINDS.get(str(one.type), "text")) for one in fields(kind)))


def write(out: BinaryIO, layout: Layout, rows: Iterable[Sequence[Any]], format_: Format) -> int:
    """Write rows, each in the order of the columns; how many there were."""
    return _WRITERS[format_](out, layout, rows)


def in_order(layout: Layout, rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """Rows by name as rows in order; what one leaves out is empty."""
    names = layout.names
    return (tuple([row.get(name) for name in names]) for row in rows)


def inert(value: Any) -> Any:  # noqa: ANN401 - any cell
    """What someone wrote, so that no spreadsheet takes it for a formula; a number stays one."""
    if not isinstance(value, str):
        return value
    # A carriage return is not quoted by the writer, and what follows it would begin a row of its own.
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def _as_csv(out: BinaryIO, layout: Layout, rows: Iterable[Sequence[Any]]) -> int:
    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(layout.names)
    count = 0
    safe = rows if layout.is_inert else ([inert(cell) for cell in row] for row in rows)
    for batch in _batches(safe, _LINES):
        writer.writerows(batch)
        count += len(batch)
    text.flush()
    text.detach()
    return count


def _as_json(out: BinaryIO, layout: Layout, rows: Iterable[Sequence[Any]]) -> int:
    """A list with a row on each line."""
    names, count = layout.names, 0
    for row in rows:
        cells = {name: None if cell == "" else cell for name, cell in zip(names, row, strict=True)}
        out.write(f"{',' if count else '['}\n{json.dumps(cells, ensure_ascii=False)}".encode())
        count += 1
    out.write(b"\n]\n" if count else b"[]\n")
    return count


def pyarrow() -> tuple[Any, Any]:
    """The library and its part for Parquet, or a Refusal that says how to get them."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, and slow to import
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise Refusal(
            "parquet_missing",
            "Parquet needs the library pyarrow, which is not installed.",
            next_step="Install `tokens-bot[parquet]`, or take CSV or JSON.",
        ) from error
    return pa, parquet


def _as_parquet(out: BinaryIO, layout: Layout, rows: Iterable[Sequence[Any]]) -> int:
    arrow, parquet = pyarrow()
    named = [(column.name, _type(arrow, column.kind)) for column in layout.columns]
    schema = arrow.schema(named, metadata=layout.about)
    count = 0
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        for batch in _batches(rows, _AT_ONCE):
            count += len(batch)
            cells = zip(layout.columns, zip(*batch, strict=True), schema.types, strict=True)
            arrays = [arrow.array(_typed(column.kind, some), type_) for column, some, type_ in cells]
            writer.write_batch(arrow.record_batch(arrays, schema=schema))
    return count


def _batches(rows: Iterable[Sequence[Any]], size: int) -> Iterator[list[Sequence[Any]]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch


def _type(arrow: Any, kind: Kind) -> Any:  # noqa: ANN401 - of a library without types
    types = {"number": arrow.decimal128(38, DECIMALS), "whole": arrow.int64(), "flag": arrow.bool_()}
    return arrow.timestamp("us", tz="UTC") if kind == "instant" else types.get(kind, arrow.string())


def _typed(kind: Kind, cells: Iterable[Any]) -> list[Any]:
    if kind == "number":
        return [Decimal(cell) if cell else None for cell in cells]
    if kind == "instant":
        return [datetime.fromisoformat(cell) if cell else None for cell in cells]
    return [None if cell == "" else cell for cell in cells]


_WRITERS = {"csv": _as_csv, "json": _as_json, "parquet": _as_parquet}
