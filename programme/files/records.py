"""The records of a CSV file that is read as a stream, with the position after each."""

from __future__ import annotations

import csv
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from programme.files import headers, lines
from programme.files.encodings import not_utf8
from programme.files.lines import BadRecordError, CountedLines

if TYPE_CHECKING:
    from collections.abc import Collection

    from programme.files.lines import Position


class Records:
    """The records of a file, one at a time, with the position after each; a bad one does not end the file.

    What separates the cells is told by the header, which is the first record.
    """

    def __init__(self, file: BinaryIO, columns: Collection[str]) -> None:
        self._lines = CountedLines(file)
        self._began = 0
        self._fault = ""
        begin = headers.opening(map(self._checked, self._lines), columns)
        self._fault_of_header = self._fault
        text = chain([begin.header], map(self._checked, self._lines))
        self._reader = csv.reader(text, delimiter=begin.separator, strict=True)

    @property
    def position(self) -> Position:
        return self._lines.position

    def resume(self, start: Position) -> None:
        self._lines.resume(start)

    def header(self) -> list[str]:
        """The cells of the first record; BadRecordError for a bad one, StopIteration in an empty file."""
        cells = self.next()
        if self._fault_of_header:
            raise BadRecordError(self._fault_of_header)
        return cells

    def next(self) -> list[str]:
        """The cells of the next record; raises BadRecordError for a bad one, StopIteration at the end."""
        self._began, self._fault = self._lines.offset, ""
        try:
            cells = next(self._reader)
        except csv.Error as error:
            raise BadRecordError(f"record: {error}") from error
        if self._fault:
            raise BadRecordError(self._fault)
        return cells

    def _checked(self, line: bytes) -> str:
        """The text of a line. What is wrong with it is told after its record: in the middle, it would split it."""
        if self._lines.offset - self._began > lines.MAX_LINE:
            raise BadRecordError(f"record: expected at most {lines.MAX_LINE} bytes, got more")
        if b"\0" in line:
            self._fault = "record: expected text without NUL"
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            self._fault = f"record: {not_utf8(line, error)}"
            return line.decode(errors="replace")
