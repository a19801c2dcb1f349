"""FOCUS files as Parquet: each batch is added up by the library before Python sees it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from handlers.invoices.tally import COST, REQUIRED, SELLERS, WHEN, Tally, atto_of, wanted
from handlers.tables import pyarrow
from policy.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from programme.invoices.sorting import Sorting
    from programme.table_file import Problems

MAGIC = b"PAR1"
AT_ONCE = 32_768
_WIDE = 2**32
"""Days and names have smaller numbers."""


def read(file: BinaryIO, sorting: Sorting, problems: Problems, progress: Callable[[], None]) -> tuple[Tally, int]:
    """Add up a file; with how many rows it has. What is wrong with it is noted by the numbers of rows."""
    arrow, parquet = pyarrow()
    try:
        source = parquet.ParquetFile(file)
    except arrow.ArrowInvalid as error:
        raise Refusal("file_malformed", f"The file is no Parquet: {error}") from error
    there = source.schema_arrow.names
    missing = [name for name in REQUIRED if name not in there]
    if not any(name in there for name in SELLERS):
        missing.append(SELLERS[-1])
    if missing:
        problems.append((0, f"no column {', '.join(missing)}: a FOCUS file has them"))
        return Tally(sorting, (), problems), 0
    what = tuple(name for name in wanted(sorting) if name in there)
    tally = Tally(sorting, what, problems)
    count = 0
    for batch in source.iter_batches(AT_ONCE, columns=[COST, *WHEN, *what]):
        _add_up(arrow, batch, what, tally, count)
        count += batch.num_rows
        progress()
    return tally, count


def _add_up(arrow: Any, batch: Any, what: Sequence[str], tally: Tally, above: int) -> None:  # noqa: ANN401 - of a library without types
    columns = {name: _told(arrow, batch.column(name)) for name in (COST, *WHEN, *what)}
    before = len(tally.problems)
    slots = _slots(columns, what, tally, above)
    sums = [] if slots is None else list(_sums(arrow, slots.numbers, columns[COST]))
    if slots is None or None in {amount for _, amount, _ in sums}:
        del tally.problems[before:]
        _add_rows(columns, what, tally, above)
        return
    for number, amount, rows in sums:
        found = slots.of[number]
        found[0] += rows
        found[1] += amount or 0


class _Slots(NamedTuple):
    """Where the rows of a batch are added up, and for each row the number of its place."""

    of: Sequence[list[int]]
    numbers: Any


def _slots(columns: dict[str, Any], what: Sequence[str], tally: Tally, above: int) -> _Slots | None:
    """Where each row goes; None where one of them cannot be. Python sees each combination of cells once."""
    when_of, whens = _alike([columns[name] for name in WHEN])
    what_of, whats = _alike([columns[name] for name in what])
    days, names = [tally.day(above, one) for one in whens], [tally.name(above, one) for one in whats]
    if None in days or None in names:
        return None
    pair_of, pairs = _numbered(np.array(days)[when_of] * _WIDE + np.array(names)[what_of])
    found = [slot for pair in pairs.tolist() if (slot := tally.slot_of(*divmod(pair, _WIDE))) is not None]
    return _Slots(found, pair_of) if len(found) == len(pairs) else None


def _alike(columns: Sequence[Any]) -> tuple[Any, list[tuple[Any, ...]]]:
    """For each row the number of its combination of cells, and the combinations."""
    codes = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        encoded = column.dictionary_encode("encode")
        # No number grows beyond the square of a batch.
        codes, _ = _numbered(codes * max(len(encoded.dictionary), 1) + encoded.indices.to_numpy(zero_copy_only=False))
    _, first = np.unique(codes, return_index=True)
    cells = [column.take(first).to_pylist() for column in columns]
    return codes, list(zip(*cells, strict=True))


def _numbered(codes: Any) -> tuple[Any, Any]:  # noqa: ANN401 - arrays of numpy
    """The same as numbers from 0, and what they stand for."""
    known, numbers = np.unique(codes, return_inverse=True)
    return numbers, known


def _sums(arrow: Any, places: Any, cost: Any) -> Iterator[tuple[int, int | None, int]]:  # noqa: ANN401 - as above
    """(place, what is added there in units of 10^-18, how many rows); None where an amount is no number.

    Decimals are added up by the library, exactly. Other numbers are looked at one by one where they differ.
    """
    exact = arrow.types.is_decimal(cost.type) and not cost.null_count
    table = arrow.table({"place": places, "cost": cost, "each": cost})
    keys, sums = (["place"], [("cost", "sum")]) if exact else (["place", "each"], [])
    grouped = table.group_by(keys, use_threads=False).aggregate([*sums, ([], "count_all")])
    amounts = grouped.column("cost_sum" if exact else "each").to_pylist()
    for place, amount, rows in zip(
        grouped.column("place").to_pylist(), amounts, grouped.column("count_all").to_pylist(), strict=True
    ):
        yield place, _whole(amount, 1 if exact else rows), rows


def _whole(value: Any, times: int) -> int | None:  # noqa: ANN401 - as the file has it
    """A cost so many times; of a float its shortest text, which is what was written. None where it is no number."""
    try:
        return atto_of(Decimal(repr(value) if isinstance(value, float) else value)) * times
    except (ArithmeticError, TypeError, ValueError):
        return None


def _add_rows(columns: dict[str, Any], what: Sequence[str], tally: Tally, above: int) -> None:
    """Add the rows of a batch one by one, and note everything that is wrong with them."""
    cells = {name: columns[name].to_pylist() for name in columns}
    for place, cost in enumerate(cells[COST]):
        line = above + place + 1
        when, named = (tuple(cells[name][place] for name in some) for some in (WHEN, what))
        found, amount = tally.slot(line, when, named), _whole(cost, 1)
        if amount is None:
            tally.problems.add(line, COST, "" if cost is None else str(cost), "a number such as 12.345")
        elif found is not None:
            found[0] += 1
            found[1] += amount


def _told(arrow: Any, column: Any) -> Any:  # noqa: ANN401 - as above
    """A column as it is grouped by: texts without nulls, maps and structs of tags as JSON; times and numbers stay."""
    kind = column.type
    if arrow.types.is_dictionary(kind):
        return _told(arrow, column.dictionary_decode())
    if arrow.types.is_string(kind) or arrow.types.is_large_string(kind) or arrow.types.is_null(kind):
        return column.cast(arrow.string()).fill_null("")
    if arrow.types.is_map(kind) or arrow.types.is_struct(kind):
        return arrow.array([_json(value) for value in column.to_pylist()], arrow.string())
    return column


def _json(value: Any) -> str:  # noqa: ANN401 - as above
    if value is None:
        return ""
    tags = dict(value) if isinstance(value, list) else {name: text for name, text in value.items() if text is not None}
    return json.dumps(tags, ensure_ascii=False, sort_keys=True)
