"""Reading a CSV file of ours: every bad line is told with its number, and one of them refuses the whole file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from policy import texts
from policy.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

PERMILLE = 1_000
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

    def refuse(self, code: str) -> None:
        """Raise the Refusal that lists them all, if there are any."""
        if self:
            report = "\n".join(f"line {line}: {text}" for line, text in sorted(self))
            raise Refusal(code, f"Nothing was imported:\n{report}")


def rows(
    file: TextIO, columns: Collection[str], required: Sequence[str], problems: Problems
) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, cells by column, without the blanks around them) of each line of the right length."""
    reader = csv.DictReader(file, strict=True)
    try:
        header = reader.fieldnames or []
        missing = [f"no column {name!r}" for name in required if name not in header]
        unknown = [f"unknown column {name!r}" for name in header if name not in columns]
        twice = [f"column {name!r} stands there twice" for name in columns if header.count(name) > 1]
        if wrong := missing + unknown + twice:
            problems.append((1, f"{', '.join(wrong)}; expected {', '.join(columns)}"))
        if missing:
            return
        for row in reader:
            if None in row or None in row.values():
                problems.append((reader.line_num, f"{len(header)} cells expected"))
            else:
                yield reader.line_num, {name: cell.strip() for name, cell in row.items() if name in columns}
    except csv.Error as error:
        # The dict reader's own number is that of the last good line.
        problems.append((reader.reader.line_num, str(error)))


def values(line: int, cells: Mapping[str, str], columns: Mapping[str, Cell], problems: Problems) -> dict[str, Any]:
    """What the cells that are not empty say; None for one that is wrong, which is not the same as left out."""
    said: dict[str, Any] = {}
    for name, text in cells.items():
        if not text:
            continue
        said[name] = None
        if unfit := texts.unfit(text, columns[name].longest):
            problems.add(line, name, text, unfit)
            continue
        try:
            said[name] = columns[name].reader(text)
        except (ValueError, msgspec.ValidationError):
            problems.add(line, name, text, columns[name].expected)
    return said


def permille(text: str) -> int:
    """A share above 0 and at most 1 with at most three decimals, in thousandths."""
    try:
        share = Decimal(text)
        # The range first: there are numbers beyond it that cannot be multiplied.
        if 0 < share <= 1 and share * PERMILLE == int(share * PERMILLE):
            return int(share * PERMILLE)
    except InvalidOperation:
        pass
    raise ValueError(text)
