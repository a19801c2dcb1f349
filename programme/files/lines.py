"""The lines of a file that is too long for memory, with the position after each."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINE = 1 << 20
"""Bytes of a line, or of a record of several lines: so much is held in memory at once, whatever the file."""

BOM = b"\xef\xbb\xbf"

Position = tuple[int, int]
"""(lines read, bytes read) at the end of a record: where a file can be taken up again."""


class BadRecordError(ValueError):
    """A line or record that cannot be read; the message says why. The next one can be."""


class CountedLines:
    """The lines of a binary file with the position after each; a line too long for memory is skipped and told."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.line = self.offset = 0

    @property
    def position(self) -> Position:
        return self.line, self.offset

    def resume(self, start: Position) -> None:
        """Go to a position; a file that cannot seek may still be read from its beginning."""
        if start != self.position:
            self._file.seek(start[1])
            self.line, self.offset = start

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        line = self._file.readline(MAX_LINE)
        if not line:
            raise StopIteration
        self.line += 1
        self.offset += len(line)
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            self._skip_rest_of_line()
            raise BadRecordError(f"line: expected at most {MAX_LINE} bytes, got more")
        # Spreadsheets mark UTF-8 with a BOM.
        return line if self.line > 1 else line.removeprefix(BOM)

    def _skip_rest_of_line(self) -> None:
        while rest := self._file.readline(MAX_LINE):
            self.offset += len(rest)
            if rest.endswith(b"\n"):
                return
