"""FOCUS files as CSV or Parquet, written as the charges come: memory does not follow their number."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from handlers.finance.focus_columns import COLUMNS, DECIMALS, INSTANTS, NUMBERS, Rows
from policy.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from handlers.finance.focus_columns import Spec
    from programme.finance.charges import Charge, Months

FileFormat = Literal["csv", "parquet"]
FORMATS: tuple[FileFormat, ...] = ("csv", "parquet")
_AT_ONCE = 10_000


def write(out: BinaryIO, told: Months, charges: Iterable[Charge], spec: Spec, format_: FileFormat) -> int:
    """Write a month's charges; how many rows there were."""
    rows = Rows(told, spec, told.moment.zone)
    written = (rows.row(charge) for charge in charges)
    return _as_csv(out, spec, written) if format_ == "csv" else _as_parquet(out, spec, written)


def _as_csv(out: BinaryIO, spec: Spec, rows: Iterator[Sequence[str]]) -> int:
    count = 0

    def counted() -> Iterator[Sequence[str]]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS[spec])
    writer.writerows(counted())
    text.flush()
    text.detach()
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
            next_step="Install `tokens-bot[parquet]`, or take --format csv.",
        ) from error
    return pa, parquet


def _as_parquet(out: BinaryIO, spec: Spec, rows: Iterator[Sequence[str]]) -> int:
    arrow, parquet = pyarrow()
    columns = COLUMNS[spec]
    types = [_type(arrow, name) for name in columns]
    schema = arrow.schema(list(zip(columns, types, strict=True)), metadata={"focus_version": spec})
    count = 0
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        for batch in _batches(rows):
            count += len(batch)
            arrays = [
                _array(arrow, values, type_) for values, type_ in zip(zip(*batch, strict=True), types, strict=True)
            ]
            writer.write_batch(arrow.record_batch(arrays, schema=schema))
    return count


def _batches(rows: Iterator[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    batch: list[Sequence[str]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _type(arrow: Any, name: str) -> Any:  # noqa: ANN401 - of a library without types
    if name in NUMBERS:
        return arrow.decimal128(38, DECIMALS)
    return arrow.timestamp("us", tz="UTC") if name in INSTANTS else arrow.string()


def _array(arrow: Any, values: Sequence[str], type_: Any) -> Any:  # noqa: ANN401 - as above
    told = arrow.array([value or None for value in values], arrow.string())
    if type_ == arrow.string():
        return told
    return told.cast(type_) if not arrow.types.is_decimal(type_) else arrow.array(_numbers(values), type_)


def _numbers(values: Sequence[str]) -> list[Decimal | None]:
    return [Decimal(value) if value else None for value in values]
