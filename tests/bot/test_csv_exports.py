"""No export holds a formula: what people wrote stays text in every spreadsheet."""

from __future__ import annotations

import ast
import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot
from bot.cli import common

STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


@given(st.sampled_from(STARTS), st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(STARTS), max_size=8))
def test_a_text_that_begins_like_a_formula_is_made_inert(start: str, rest: str) -> None:
    """An apostrophe before it makes it text; of the rest only line ends change, so that it stays in its row."""
    out = io.StringIO(newline="")
    common.write_csv(out, ("name", "amount"), [{"name": f"{start}x{rest}", "amount": 1}])
    [row] = csv.DictReader(io.StringIO(out.getvalue(), newline=""))
    text = f"{start}x{rest}".replace("\r\n", "\n").replace("\r", "\n")
    assert row == {"name": f"'{text}", "amount": "1"}


@pytest.mark.parametrize("value", ["-5.000000000", "-1", "0.25", "Ada", "a=b", "ada@example.com", "", None, -3, 4.5])
def test_numbers_and_other_texts_stay_as_they_are(value: object) -> None:
    """A debt is a negative number, which no spreadsheet runs."""
    assert common.inert(value) is value


def test_every_export_is_written_by_the_one_writer() -> None:
    """No command writes CSV by itself, past what makes texts inert."""
    folder = Path(bot.__file__).parent
    for path in folder.rglob("*.py"):
        called = {
            ast.unparse(node.func)
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call)
        }
        if path.name != "common.py":
            assert not called & {"csv.writer", "csv.DictWriter"}, path.name
