"""FOCUS files as Parquet: each batch is added up by the library before Python sees it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

from handlers.finance.focus_writing import pyarrow
from handlers.invoices.tally import COST, REQUIRED, SELLERS, WHEN, Tally, atto_of, wanted
from policy.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from programme.invoices.sorting import Sorting
    from programme.table_file import Problems

MAGIC = b"PAR1"
AT_ONCE = 65_536
_AMOUNT, _ROWS = "amount", "rows"


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
    adds = []
    for when, named, amount, rows in _groups(arrow, columns, what):
        found = tally.slot(above, when, named)
        if found is None or amount is None:
            del tally.problems[before:]
            _add_rows(columns, what, tally, above)
            return
        adds.append((found, amount, rows))
    for found, amount, rows in adds:
        found[0] += rows
        found[1] += amount


def _groups(
    arrow: Any,  # noqa: ANN401 - as above
    columns: dict[str, Any],
    what: Sequence[str],
) -> Iterator[tuple[tuple[Any, ...], tuple[str, ...], int | None, int]]:
    """(when, what, an amount, how many rows) of rows that are alike.

    The amount is what they come to together, in units of 10^-18.
    """
    exact = arrow.types.is_decimal(columns[COST].type) and not columns[COST].null_count
    keys = [*WHEN, *what] if exact else [*WHEN, *what, COST]
    table = arrow.table({**{name: columns[name] for name in keys}, _AMOUNT: columns[COST]})
    wanted_of = [(_AMOUNT, "sum")] if exact else []
    grouped = table.group_by(keys, use_threads=False).aggregate([*wanted_of, ([], "count_all")])
    cells = [grouped.column(name).to_pylist() for name in (*WHEN, *what)]
    amounts = grouped.column(f"{_AMOUNT}_sum" if exact else COST).to_pylist()
    counts = grouped.column("count_all").to_pylist()
    width = len(WHEN)
    for row, amount, rows in zip(zip(*cells, strict=True), amounts, counts, strict=True):
        yield row[:width], row[width:], _whole(amount, 1 if exact else rows), rows


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
