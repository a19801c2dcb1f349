"""SQL is made of our own words: what people and programs say is always bound, never written into a statement."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import store

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(store.__file__).parents[1]
RUNNING = {"text", "exec_driver_sql", "literal_column"}
"""The functions that take SQL as text."""
OUR_WORDS = {
    *("COMPANY", "COMPANY_PAYS", "DIGEST", "OPEN", "WALLETS", "WITHOUT_PICTURE"),
    *("assignments", "matches", "names", "pairs", "source", "sums", "table.name", "tail"),
    *("last", "others"),  # Statements of ours, put together.
    *("column", "_named(column)", "kind", "quoted(name)"),  # Of a table or a file of ours.
    *("mark", "marks", "', '.join(columns)", "', '.join(key)"),
    *("begin", "end", "part"),  # Of a month of events: numbers, and a name made of one.
    *("figures", "places", "tables"),  # Sums of columns of ours, by meters of ours.
}
"""What stands in such texts in braces: constants, names of tables and columns, and marks for values that are bound."""


def files() -> Iterator[Path]:
    for package in ("store", "programme", "policy", "views", "handlers", "scheduler", "bot"):
        yield from (path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts)


def woven(tree: ast.AST) -> Iterator[str]:
    """What is woven into texts that begin as SQL does, or that are handed to a function that runs them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in RUNNING and node.args:
            yield from _parts(node.args[0])
        if isinstance(node, ast.JoinedStr) and _is_sql(node):
            yield from _parts(node)


def _name(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def _is_sql(node: ast.JoinedStr) -> bool:
    first = node.values[0]
    return isinstance(first, ast.Constant) and str(first.value).lstrip().startswith(
        ("SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "(SELECT ", "EXISTS ", "WITH ")
    )


def _parts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield from (ast.unparse(part.value) for part in node.values if isinstance(part, ast.FormattedValue))
    elif isinstance(node, ast.BinOp):
        yield "a text put together with an operator"
    elif isinstance(node, ast.Call) and _name(node.func) in {"format", "join", "replace"}:
        yield ast.unparse(node)


def test_only_our_own_words_are_written_into_sql() -> None:
    """Whatever is woven into a statement is on the list above; a new word has to be looked at and put there."""
    found = {(part, path.name) for path in files() for part in woven(ast.parse(path.read_text("utf-8")))}
    assert {(part, name) for part, name in found if part not in OUR_WORDS} == set()
    assert {part for part, _ in found} >= {"marks", "table.name"}


@pytest.mark.parametrize(
    "statement",
    [
        "sa.text(f\"people.name = '{name_typed}'\")",
        "session.exec_driver_sql(\"DELETE FROM t WHERE a = '%s'\" % name_typed)",
        'session.exec_driver_sql("SELECT " + name_typed)',
        'sa.text("a = {}".format(name_typed))',
        "statement = f\"UPDATE people SET name = '{name_typed}'\"",
    ],
)
def test_a_statement_with_a_value_in_it_would_be_found(statement: str) -> None:
    """Each way to put a value into SQL is seen by the test above."""
    assert set(woven(ast.parse(statement))) - OUR_WORDS
