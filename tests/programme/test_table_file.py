"""One reader for our CSV files: what a cell may hold is declared, and every cell that holds something else is told."""

from __future__ import annotations

import io
from datetime import date
from typing import Annotated, Literal

import pytest
from msgspec import Meta

from policy.reasons import Refusal
from programme import table_file
from programme.files import cells as cell_readers
from programme.table_file import Cell, Problems

COLUMNS = {
    "key": Cell("a key"),
    "day": Cell("a day", date),
    "size": Cell("S or L", Literal["S", "L"]),
    "count": Cell("a number to 9", Annotated[int, Meta(ge=0, le=9)]),
    "share": Cell("a share", read=cell_readers.permille),
}


def read(text: str) -> tuple[list[dict[str, object]], Problems]:
    problems = Problems()
    found = table_file.rows(io.StringIO(text, newline=""), COLUMNS, ("key",), problems)
    return [table_file.values(line, cells, COLUMNS, problems) for line, cells in found], problems


def test_cells_become_what_their_columns_declare() -> None:
    """Each cell is read as its column's type, in any order; an empty cell and an absent column say nothing."""
    said, problems = read("count,key\n7, a \n")
    assert (said, problems) == ([{"count": 7, "key": "a"}], [])
    said, problems = read("key,day,size,count,share\na,2026-11-01,L,0,0.125\nb,,,,\n")
    assert said == [{"key": "a", "day": date(2026, 11, 1), "size": "L", "count": 0, "share": 125}, {"key": "b"}]
    assert problems == []


def test_every_wrong_cell_is_told_and_is_not_left_out() -> None:
    """All mistakes of a line come at once, each with its column, its value and what belongs there."""
    said, problems = read("key,day,size,count,share\na\0,1.11.2026,M,10,0\n")
    assert said == [dict.fromkeys(COLUMNS)]
    assert problems == [
        (2, "key = 'a\\x00': expected text without NUL"),
        (2, "day = '1.11.2026': expected a day"),
        (2, "size = 'M': expected S or L"),
        (2, "count = '10': expected a number to 9"),
        (2, "share = '0': expected a share"),
    ]


def test_a_wrong_header_does_not_hide_wrong_lines() -> None:
    """Without a required column no line can be judged; with one too many, every line still is."""
    assert read("day\nnever\n")[1] == [(1, "no column 'key'; expected key, day, size, count, share")]
    assert [line for line, _ in read("key,day,colour\na,never,red\nb\n")[1]] == [1, 2, 3]


@pytest.mark.parametrize("text", ["0", "-0.1", "1.001", "0.0005", "NaN", "Infinity", "1e-3", "1e999999", "half", ""])
def test_a_share_is_a_part_of_one(text: str) -> None:
    """Only what is above 0, at most 1 and whole in thousandths is a share."""
    assert [cell_readers.permille(share) for share in ("1", "0.001", "0,5")] == [1000, 1, 500]
    with pytest.raises(ValueError, match=r".*"):
        cell_readers.permille(text)


def test_the_refusal_lists_the_lines_in_order() -> None:
    """One refusal tells all problems by line, and without a problem there is none."""
    problems = Problems()
    problems.refuse("code")
    problems += [(10, "later"), (2, "earlier")]
    with pytest.raises(Refusal) as refusal:
        problems.refuse("code")
    assert refusal.value.text.splitlines() == ["Nothing was imported:", "line 2: earlier", "line 10: later"]
