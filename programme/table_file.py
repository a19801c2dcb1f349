"""Reading a CSV file of ours: every bad line is told with its number, and one of them refuses the whole file.

What separates cells, headers and what a cell may look like is in `programme/files`, which files of usage share.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

import msgspec

from policy import texts
from policy.reasons import Refusal
from programme.files import cells, encodings, headers
from programme.files.cells import WrongCellError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from programme.files.headers import Header

MOST_TOLD = 100
"""Complaints that a refusal lists; the rest is counted."""
_SHOWN = 64


@dataclass(frozen=True, slots=True)
class Cell:
    """What a column holds: the word for it in a complaint, its type, or what reads it where no type says it."""

    expected: str
    type: Any = str
    read: Callable[[str], Any] | None = None
    longest: int = texts.LONGEST_NAME
    """Characters."""

    @property
    def reader(self) -> Callable[[str], Any]:
        return self.read or partial(msgspec.convert, type=self.type, strict=False)


class Problems(list[tuple[int, str]]):
    """What is wrong with a file: (line number, sentence)."""

    def add(self, line: int, column: str, value: str, expected: str) -> None:
        shown = repr(value) if len(value) <= _SHOWN else f"{value[:_SHOWN]!r}… ({len(value):,} characters)"
        self.append((line, f"{column} = {shown}: expected {expected}"))

    def refuse(self, code: str, said: str = "Nothing was imported:") -> None:
        """Raise the Refusal that lists them, if there are any: the first hundred, and how many more there are."""
        if not self:
            return
        told = [f"line {line}: {text}" for line, text in sorted(self)[:MOST_TOLD]]
        if len(self) > MOST_TOLD:
            told.append(f"… and {len(self) - MOST_TOLD:,} more.")
        raise Refusal(code, "\n".join([said, *told]))


def opened(file: BinaryIO) -> TextIO:
    """A file as text, or a Refusal that says what it is instead, with the remedy."""
    try:
        return io.StringIO(encodings.decoded(file.read()), newline="")
    except ValueError as error:
        raise Refusal("not_utf8", f"{getattr(file, 'name', 'The file')} {error}.") from error


def rows(
    file: TextIO, columns: Collection[str], required: Sequence[str], problems: Problems
) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, cells by column, without the blanks around them) of each line of the right length."""
    lines = iter(file)
    begin = headers.opening(lines, columns)
    reader = csv.reader(chain([begin.header], lines), delimiter=begin.separator, strict=True)
    header: Header | None = None
    for number, record in _records(reader, begin.above, problems):
        if header is None:
            header = _header(number, record, columns, required, problems)
            if not set(required) <= set(header.names):
                return
        elif (fitted := header.fitted(record)) is None:
            problems.append((number, f"{len(header.names)} cells expected, {len(record)} found"))
        elif fitted:
            named = zip(header.names, fitted, strict=True)
            yield number, {name: cell.strip() for name, cell in named if name in columns}
    if header is None:
        _header(1, [], columns, required, problems)


def _records(reader: Any, above: int, problems: Problems) -> Iterator[tuple[int, list[str]]]:  # noqa: ANN401 - csv's own
    """Every record with the number of its last line; a bad one is told, and does not end the file."""
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.append((above + reader.line_num, str(error)))
        else:
            yield above + reader.line_num, record


def _header(
    number: int, record: list[str], columns: Collection[str], required: Collection[str], problems: Problems
) -> Header:
    header = headers.read(record, columns, required)
    if header.faults:
        problems.append((number, header.faults))
    return header


def values(line: int, written: Mapping[str, str], columns: Mapping[str, Cell], problems: Problems) -> dict[str, Any]:
    """What the cells that are not empty say; None for one that is wrong, which is not the same as left out."""
    said: dict[str, Any] = {}
    for name, text in written.items():
        if not text:
            continue
        said[name] = None
        if unfit := texts.unfit(text, columns[name].longest):
            problems.add(line, name, text, unfit)
            continue
        try:
            said[name] = _value(text, columns[name])
        except (ValueError, msgspec.ValidationError) as error:
            problems.add(line, name, text, _complaint(columns[name], error))
    return said


def _value(text: str, cell: Cell) -> Any:  # noqa: ANN401 - of the column's type
    if said := cells.excel_wreck(text):
        raise WrongCellError(said)
    return cell.reader(text)


def _complaint(cell: Cell, error: Exception) -> str:
    hint = str(error) if isinstance(error, WrongCellError) else ""
    return f"{cell.expected}; {hint}" if hint else cell.expected
