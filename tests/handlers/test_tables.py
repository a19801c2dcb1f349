"""The one writer of tables: no file of CSV holds a formula, and each format says the same."""

from __future__ import annotations

import ast
import csv
import io
import json
import sys
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

import bot
from handlers import tables
from handlers.tables import Column, Layout
from policy.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handlers.tables import Format

STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
ROOT = Path(bot.__file__).parents[1]
NAMES = Layout((Column("name"), Column("amount", "whole")))
ALL = Layout(
    (Column("name"), Column("usd", "number"), Column("calls", "whole"), Column("met", "flag"), Column("at", "instant")),
    about={"version": "7"},
)
ROWS: list[tuple[object, ...]] = [
    ('=Ada, "A"\nLovelace', "-12.345678901", 3, True, "2026-11-12T09:00:00Z"),
    ("", "", None, False, ""),
]


def written(layout: Layout, rows: list[tuple[object, ...]], format_: Format) -> bytes:
    out = io.BytesIO()
    assert tables.write(out, layout, iter(rows), format_) == len(rows)
    return out.getvalue()


@given(st.sampled_from(STARTS), st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(STARTS), max_size=8))
def test_a_text_that_begins_like_a_formula_is_made_inert(start: str, rest: str) -> None:
    """An apostrophe before it makes it text; of the rest only line ends change, so that it stays in its row."""
    [row] = csv.DictReader(io.StringIO(written(NAMES, [(f"{start}x{rest}", 1)], "csv").decode(), newline=""))
    text = f"{start}x{rest}".replace("\r\n", "\n").replace("\r", "\n")
    assert row == {"name": f"'{text}", "amount": "1"}


@pytest.mark.parametrize("value", ["-5.000000000", "-1", "0.25", "Ada", "a=b", "ada@example.com", "", None, -3, 4.5])
def test_numbers_and_other_texts_stay_as_they_are(value: object) -> None:
    """A debt is a negative number, which no spreadsheet runs."""
    assert tables.inert(value) is value


def test_json_has_what_was_written() -> None:
    """A text stays as people wrote it, amounts are texts, and what is empty is null."""
    first, second = json.loads(written(ALL, ROWS, "json"))
    assert list(first.values()) == list(ROWS[0])
    assert second == {"name": None, "usd": None, "calls": None, "met": False, "at": None}
    assert json.loads(written(ALL, [], "json")) == []


def test_parquet_has_types() -> None:
    """Numbers, instants and flags are such, texts stay as people wrote them, and what is empty is null."""
    table = parquet.read_table(io.BytesIO(written(ALL, ROWS, "parquet")))
    first, second = table.to_pylist()
    at = datetime(2026, 11, 12, 9, tzinfo=UTC)
    assert tuple(first.values()) == (ROWS[0][0], Decimal("-12.345678901"), 3, True, at)
    assert tuple(second.values()) == (None, None, None, False, None)
    assert table.schema.metadata[b"version"] == b"7"


def test_without_its_library_parquet_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Refusal, match="pyarrow") as refused:
        written(ALL, ROWS, "parquet")
    assert "tokens-bot[parquet]" in (refused.value.next_step or "")


@pytest.mark.parametrize("format_", ["csv", "json"])
def test_memory_does_not_follow_the_number_of_rows(format_: Format, tmp_path: Path) -> None:
    """48,000 rows more, a byte of each kept would be 48 kB: what is taken differs by less."""

    def peak(count: int) -> int:
        rows: Iterator[tuple[str, int]] = ((f"person {number}", number) for number in range(count))
        tracemalloc.start()
        with (tmp_path / "rows").open("wb") as out:
            tables.write(out, NAMES, rows, format_)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(60_000) < peak(12_000) + 48_000


def test_every_table_is_written_by_the_one_writer() -> None:
    """Nothing else that runs writes CSV or Parquet by itself."""
    for package in ("bot", "handlers", "scheduler", "programme", "store", "templates"):
        for path in (ROOT / package).rglob("*.py"):
            tree = ast.parse(path.read_text("utf-8"))
            called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
            if path.name != "tables.py":
                assert not called & {"csv.writer", "csv.DictWriter", "parquet.ParquetWriter"}, path
