from __future__ import annotations

import io

import pytest

from programme.files import lines as file_lines
from programme.files.lines import BadRecordError, CountedLines


def test_lines_count_themselves_and_their_bytes() -> None:
    """The position after a line is where the next one begins, in bytes, whatever the letters."""
    lines = CountedLines(io.BytesIO("é\nb".encode()))
    assert [(line, lines.position) for line in lines] == [("é\n".encode(), (1, 3)), (b"b", (2, 4))]


def test_line_too_long_for_memory_is_told_and_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line beyond the limit is an error of that line; the next one is read as usual."""
    monkeypatch.setattr(file_lines, "MAX_LINE", 8)
    lines = CountedLines(io.BytesIO(b"a" * 30 + b"\nb\n"))
    with pytest.raises(BadRecordError, match="at most 8 bytes"):
        next(lines)
    assert lines.position == (1, 31)
    assert next(lines) == b"b\n"
