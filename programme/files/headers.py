"""The first lines of a table: what separates its cells, and which of our columns each of its columns is."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, NamedTuple

from programme.files import foreign

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

SEPARATORS = (",", ";", "\t", "|")

_SEP = re.compile(r'"?sep=([,;|\t])"?\s*', re.IGNORECASE)
_BLANKS = re.compile(r"[\s_\-\u200b\ufeff]+")


class Opening(NamedTuple):
    """How a table begins: what separates cells, the line with its header, and how many lines stood above it."""

    separator: str
    header: str
    above: int


class Header(NamedTuple):
    """Our name for each column, those without a name at the end left out, and what is wrong with the whole."""

    names: tuple[str, ...]
    faults: str

    def fitted(self, cells: list[str]) -> list[str] | None:
        """The cells of a record as many as there are columns, [] for a record of nothing, None for another length.

        Spreadsheets write empty columns and rows beyond a table once someone has clicked there.
        """
        width = len(self.names)
        if not any(map(str.strip, cells)):
            return []
        if len(cells) < width or any(map(str.strip, cells[width:])):
            return None
        return cells[:width]


def opening(lines: Iterator[str], columns: Collection[str]) -> Opening:
    """Read up to the header. `sep=;`, which Excel reads and writes, says the separator; else the header tells it."""
    above = 0
    for line in lines:
        if told := _SEP.fullmatch(line):
            return Opening(told[1], next(lines, ""), above + 1)
        if line.strip():
            return Opening(_separator(line, columns), line, above)
        above += 1
    return Opening(",", "", above)


def _separator(header: str, columns: Collection[str]) -> str:
    """Where most of our columns are found; a comma where none is."""
    keys = set(map(_key, columns))
    return max(SEPARATORS, key=lambda separator: len(keys.intersection(map(_key, _cells(header, separator)))))


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _key(name: str) -> str:
    """A column's name however it is written: `Hired on`, `HIRED_ON` and `hired-on` are one."""
    return _BLANKS.sub("", name).casefold()


def read(cells: Sequence[str], columns: Collection[str], required: Collection[str]) -> Header:
    """The columns of a header in its order; what is missing, unknown or there twice is told at once."""
    ours = {_key(name): name for name in columns}
    names = [ours.get(_key(cell), cell.strip()) for cell in cells]
    while names and not names[-1]:
        del names[-1]
    missing = [name for name in required if name not in names]
    if missing and (known := foreign.table(_key(cell) for cell in cells)):
        return Header(tuple(names), known)
    faults = [f"no column {name!r}" for name in missing]
    faults += [f"column {place} has no name" for place, name in enumerate(names, 1) if not name]
    faults += [f"unknown column {name!r}" for name in names if name and name not in columns]
    faults += [f"column {name!r} stands there twice" for name in columns if names.count(name) > 1]
    return Header(tuple(names), f"{', '.join(faults)}; expected {', '.join(columns)}" if faults else "")
