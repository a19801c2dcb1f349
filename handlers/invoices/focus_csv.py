"""FOCUS files as CSV, a record at a time."""

from __future__ import annotations

import csv
import io
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from handlers.invoices.tally import COST, REQUIRED, SELLERS, WHEN, Tally, atto, wanted
from policy.reasons import Refusal
from programme.files import encodings, headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from programme.invoices.sorting import Sorting
    from programme.table_file import Problems

EVERY = 10_000
"""Records between two signs of progress."""


class _Table(NamedTuple):
    """Where in a record the columns are that are read."""

    width: int
    cost: int
    when: Callable[[list[str]], tuple[str, ...]]
    what: Callable[[list[str]], tuple[str, ...]]
    columns: tuple[str, ...]


def read(file: BinaryIO, sorting: Sorting, problems: Problems, progress: Callable[[], None]) -> tuple[Tally, int]:
    """Add up a file; with how many rows it has. What is wrong with it is noted in `problems`."""
    if said := encodings.not_text(_head(file)):
        raise Refusal("not_utf8", f"The file {said}.")
    lines = io.TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        return _read(lines, sorting, problems, progress)
    except UnicodeDecodeError as error:
        raise Refusal("not_utf8", f"The file is not UTF-8 text: {error.reason}.") from error
    finally:
        lines.detach()


def _head(file: BinaryIO) -> bytes:
    head = file.read(encodings.HEAD)
    file.seek(0)
    return head


def _read(
    lines: io.TextIOWrapper, sorting: Sorting, problems: Problems, progress: Callable[[], None]
) -> tuple[Tally, int]:
    text: Iterator[str] = iter(lines)
    begin = headers.opening(text, REQUIRED)
    reader = csv.reader(chain([begin.header], text), delimiter=begin.separator, strict=True)
    table = _table(next(reader, []), sorting, problems)
    if table is None:
        return Tally(sorting, (), problems), 0
    tally = Tally(sorting, table.columns, problems)
    return tally, _add_up(reader, table, tally, progress, begin.above)


def _add_up(reader, table: _Table, tally: Tally, progress: Callable[[], None], above: int) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001 - csv's own has no name
    """Add up every record; how many there were. One loop without calls of ours: bills have millions of rows."""
    width, place, when_of, what_of, _ = table
    days, names, slots = tally.days, tally.names, tally.slots
    count = 0
    while True:
        try:
            for record in reader:
                count += 1
                if not count % EVERY:
                    progress()
                if len(record) != width:
                    _note_length(tally.problems, above + reader.line_num, record, width)
                    continue
                when, what = when_of(record), what_of(record)
                try:
                    found = slots[days[when], names[what]]
                    found[1] += atto(record[place])
                except (KeyError, ValueError):
                    _add_first(tally, above + reader.line_num, when, what, record[place])
                else:
                    found[0] += 1
        except csv.Error as error:
            tally.problems.append((above + reader.line_num, str(error)))
        else:
            return count


def _add_first(tally: Tally, line: int, when: tuple[str, ...], what: tuple[str, ...], cost: str) -> None:
    """Add the first row of its kind, or one that cannot be, with everything that is wrong with it."""
    found = tally.slot(line, when, what)
    try:
        amount = atto(cost)
    except ValueError:
        tally.problems.add(line, COST, cost, "a number such as 12.345")
        return
    if found is not None:
        found[0] += 1
        found[1] += amount


def _note_length(problems: Problems, line: int, record: list[str], width: int) -> None:
    if any(map(str.strip, record)):
        problems.append((line, f"{width} cells expected, {len(record)} found"))


def _table(header: list[str], sorting: Sorting, problems: Problems) -> _Table | None:
    names = {name.strip(): place for place, name in reversed(list(enumerate(header)))}
    missing = [name for name in REQUIRED if name not in names]
    if not any(name in names for name in SELLERS):
        missing.append(SELLERS[-1])
    if missing:
        problems.append((1, f"no column {', '.join(missing)}: a FOCUS file has them"))
        return None
    columns = tuple(name for name in wanted(sorting) if name in names)
    when = itemgetter(*(names[name] for name in WHEN))
    return _Table(len(header), names[COST], when, itemgetter(*(names[name] for name in columns)), columns)
