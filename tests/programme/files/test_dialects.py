"""The same rows read the same in every dialect and encoding that is read, and are refused by name in every other."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.decoding import MalformedBodyError, Rejected
from handlers.usage import csv_files, files
from policy.metering import UsageEvent
from policy.reasons import Refusal
from programme import table_file
from programme.files import encodings
from programme.table_file import Cell, Problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handlers.usage.formats import Versioned

COLUMNS = {name: Cell("a text") for name in ("key", "hired_on", "roles")}


class Dialect(NamedTuple):
    """How a program writes a table."""

    name: str
    separator: str = ","
    end: str = "\r\n"
    above: str = ""
    quote_all: bool = False
    padding: int = 0
    upper: bool = False
    last_end: bool = True


DIALECTS = (
    Dialect("plain", end="\n"),
    Dialect("Excel, English"),
    Dialect("Excel, German", separator=";"),
    Dialect("Excel, with its own line", separator=";", above="sep=;\r\n"),
    Dialect("Excel, with empty columns and rows", padding=3),
    Dialect("LibreOffice, all quoted", quote_all=True, end="\n"),
    Dialect("Google Sheets", last_end=False),
    Dialect("Workday, tabs", separator="\t", upper=True),
    Dialect("BambooHR", quote_all=True, upper=True, end="\n"),
    Dialect("Personio", separator=";", quote_all=True, end="\n"),
)
READ = ("utf-8", "utf-8-sig")
REFUSED = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252")


def written(dialect: Dialect, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as a program writes it."""
    text = io.StringIO(newline="")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if dialect.quote_all else csv.QUOTE_MINIMAL
    table = csv.writer(text, delimiter=dialect.separator, lineterminator=dialect.end, quoting=quoting)
    header = [name.replace("_", " ").title() if dialect.upper else name for name in columns]
    empty = [""] * dialect.padding
    table.writerows([*header, *empty] if row is columns else [*row, *empty] for row in (columns, *rows))
    if dialect.padding:
        table.writerow(["", *[""] * (len(columns) + dialect.padding - 1)])
    return dialect.above + (text.getvalue() if dialect.last_end else text.getvalue().removesuffix(dialect.end))


CELLS = st.text(st.sampled_from("aZ9é€ü,;|\t\"'\n="), max_size=5).map(lambda cell: f"x{cell}y")
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=4)


@settings(deadline=None)
@given(ROWS, st.sampled_from(DIALECTS), st.sampled_from(READ))
def test_a_table_reads_the_same_in_every_dialect(rows: list[tuple[str, ...]], dialect: Dialect, encoding: str) -> None:
    """Every cell comes through whole, and the number of its line is that of the file."""
    text = written(dialect, tuple(COLUMNS), rows)
    problems = Problems()
    file = table_file.opened(io.BytesIO(text.encode(encoding)))
    found = list(table_file.rows(file, COLUMNS, ("key",), problems))
    assert problems == []
    assert [tuple(cells.values()) for _, cells in found] == rows
    last = bool(dialect.padding)
    assert found[-1][0] == len(text.removesuffix(dialect.end).split("\n")) - last


@settings(deadline=None)
@given(ROWS, st.sampled_from(DIALECTS), st.sampled_from(REFUSED))
def test_another_encoding_is_refused_by_name(rows: list[tuple[str, ...]], dialect: Dialect, encoding: str) -> None:
    """No encoding is guessed: the refusal names it, for people's files and for files of usage."""
    content = written(dialect, tuple(COLUMNS), [*rows, ("é", "€", "ü")]).encode(encoding)
    name = {"cp1252": "Windows-1252", "utf-32": "UTF-32"}.get(encoding, "UTF-16")
    with pytest.raises(Refusal, match=name):
        table_file.opened(io.BytesIO(content))
    if encoding != "cp1252":
        assert name in encodings.not_text(content[: encodings.HEAD])


USAGE = {
    "source": "gateway-eu",
    "event_id": "evt-1",
    "occurred_at": "2026-11-23T14:00:00+02:00",
    "user": "ada@example.com",
    "provider": "openai",
    "model": "gpt-5",
    "input_tokens": "1200",
    "cache_read_tokens": "700",
    "cache_write_tokens": "",
    "output_tokens": "300",
    "project": "apollo",
}


@settings(deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=4), st.sampled_from(DIALECTS), st.sampled_from(READ), st.booleans())
def test_usage_reads_the_same_in_every_dialect(
    projects: list[str],
    dialect: Dialect,
    encoding: str,
    decimals: bool,  # noqa: FBT001
) -> None:
    """The events are those of the plain file, and reading is taken up again after each of them."""
    number = "1200.0" if decimals else "1200"
    changes = [USAGE | {"project": project, "event_id": f"e{n}"} for n, project in enumerate(projects)]
    plain = read(written(DIALECTS[0], csv_files.COLUMNS, [tuple(one.values()) for one in changes]).encode())
    rows = [tuple((one | {"input_tokens": number}).values()) for one in changes]
    content = written(dialect, csv_files.COLUMNS, rows).encode(encoding)
    whole = list(csv_files.read(io.BytesIO(content)))
    assert [event for _, _, event in whole] == plain
    assert all(isinstance(event, UsageEvent) for event in plain)
    for n, (line, offset, _) in enumerate(whole, 1):
        assert list(csv_files.read(io.BytesIO(content), start=(line, offset))) == whole[n:]


def read(content: bytes) -> list[Versioned]:
    return [event for _, _, event in csv_files.read(io.BytesIO(content))]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_usage_in_another_encoding_is_told_line_by_line(encoding: str) -> None:
    """A stream is not read before it is told: each line that is not UTF-8 is refused by name, and the others stand."""
    rows = [
        tuple((USAGE | {"event_id": f"e{n}", "project": project}).values()) for n, project in enumerate(("a", "Müller"))
    ]
    first, second = read(written(DIALECTS[1], csv_files.COLUMNS, rows).encode(encoding))
    assert isinstance(first, UsageEvent)
    assert isinstance(second, Rejected)
    assert "it looks like Windows-1252 or Latin-1 ('Müller'): save it again as “CSV UTF-8”" in second.detail


@pytest.mark.parametrize("columns", [("who", "what"), ("key",)])
def test_usage_of_other_columns_is_refused_whole(columns: tuple[str, ...]) -> None:
    """Without our columns no separator makes a table of usage."""
    with pytest.raises(MalformedBodyError, match="no column 'source', no column 'event_id'"):
        read(written(DIALECTS[2], columns, [columns]).encode())


def test_a_format_is_known_by_the_name_of_its_file() -> None:
    """Spreadsheets and programs name their files by what is in them."""
    names = ("a.csv", "B.CSV", "c.tsv", "d.txt", "e.jsonl", "f.ndjson", "g.json", "h.xlsx", "usage", "i.csv.gz")
    found = [files.format_of(name) for name in names]
    assert found == ["csv"] * 4 + ["jsonl"] * 2 + [None] * 4
