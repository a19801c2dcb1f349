from __future__ import annotations

import csv
import io
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.decoding import MalformedBodyError, Rejected
from handlers.usage import csv_files
from policy.metering import UsageEvent, input_tokens
from programme.files import lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handlers.usage.formats import Versioned
    from policy.metering import Meters

EXPECTED = f"expected {', '.join((*csv_files.COLUMNS, *csv_files.VERSION_COLUMNS))}"
WRONG_YEAR = "expected a time in the years 2000 to 2100"

ROW = {
    "source": "gateway-eu",
    "event_id": "evt-1",
    "occurred_at": "2026-11-23T14:00:00+02:00",
    "user": "ada@example.com",
    "provider": "OpenAI",
    "model": "gpt-5",
    "input_tokens": "1200",
    "cache_read_tokens": "700",
    "cache_write_tokens": "300",
    "output_tokens": "300",
    "project": "apollo",
}


def output_tokens(meters: Meters) -> int:
    return sum(meters.get(meter, 0) for meter in ("output", "audio_output", "image_output"))


def row(**changes: str) -> dict[str, str]:
    return ROW | changes


def written(
    rows: Iterable[dict[str, str]],
    columns: Iterable[str] = csv_files.COLUMNS,
    end: str = "\n",
    quoting: Literal[0, 1] = csv.QUOTE_MINIMAL,
) -> bytes:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, list(columns), lineterminator=end, quoting=quoting)
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()


def parsed(content: bytes) -> list[Versioned]:
    return [result for _, _, result in csv_files.read(io.BytesIO(content))]


def accepted(**changes: str) -> UsageEvent:
    [result] = parsed(written([row(**changes)]))
    assert isinstance(result, UsageEvent), result
    return result


def test_record_says_who_used_what_and_when() -> None:
    """A record becomes a usage event, with the cached tokens taken out of the input."""
    assert accepted()[:9] == (
        "gateway-eu",
        "evt-1",
        datetime(2026, 11, 23, 12, tzinfo=UTC),
        (("email", "ada@example.com"),),
        "openai",
        "gpt-5",
        "",
        {"input_uncached": 200, "cache_read": 700, "cache_write_5m": 300, "output": 300},
        "apollo",
    )
    assert accepted().occurred_at.tzinfo is UTC


def test_columns_come_in_any_order() -> None:
    """The header says which column is which."""
    assert parsed(written([row()], reversed(csv_files.COLUMNS))) == parsed(written([row()]))


def test_user_with_an_at_sign_is_an_email() -> None:
    """People are named as their gateway knows them: by e-mail, by a name, or not at all."""
    assert accepted(user="ada").identities == (("user", "ada"),)
    assert accepted(user="").identities == ()


def test_empty_counts_are_zero() -> None:
    """A count that is left out counts nothing, and so do all of them: a call that was free."""
    counts = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
    assert accepted(**dict.fromkeys(counts, "")).meters == {}
    assert accepted(**dict.fromkeys(counts, "") | {"output_tokens": "0"}).meters == {}
    assert accepted(cache_read_tokens="", cache_write_tokens="").meters == {"input_uncached": 1200, "output": 300}


@given(*[st.integers(0, 5000)] * 4)
def test_meters_sum_to_what_was_reported(whole: int, read: int, write: int, output: int) -> None:
    """Meters add up to the reported totals, or the record is rejected because its parts exceed them."""
    counts = {"input_tokens": whole, "cache_read_tokens": read, "cache_write_tokens": write, "output_tokens": output}
    [result] = parsed(written([row(**{name: str(n) for name, n in counts.items()})]))
    if read + write > whole:
        assert result == Rejected(
            0, "evt-1", f"input_tokens: expected at least {read + write}, the sum of its parts, got {whole}"
        )
    else:
        assert isinstance(result, UsageEvent)
        assert (input_tokens(result.meters), output_tokens(result.meters)) == (whole, output)


@pytest.mark.parametrize(
    ("column", "cell", "detail"),
    [
        ("source", "", 'expected a text that is not empty, got ""'),
        ("event_id", "", 'expected a text that is not empty, got ""'),
        ("user", "ada\u200b", 'expected a text without U+200B ZERO WIDTH SPACE, got "ada\u200b"'),
        ("model", "gpt-5\u00ad", 'expected a text without U+00AD SOFT HYPHEN, got "gpt-5\u00ad"'),
        ("event_id", "x" * 257, f'expected at most 256 characters, got "{"x" * 63}… (259 characters)'),
        ("provider", "", 'expected a text that is not empty, got ""'),
        ("model", "m" * 201, f'expected at most 200 characters, got "{"m" * 63}… (203 characters)'),
        ("user", "u" * 201, f'expected at most 200 characters, got "{"u" * 63}… (203 characters)'),
        ("project", "p" * 201, f'expected at most 200 characters, got "{"p" * 63}… (203 characters)'),
        ("occurred_at", "", 'expected an ISO 8601 time with an offset, got ""'),
        ("occurred_at", "2026-11-23", 'expected an ISO 8601 time with an offset, got "2026-11-23"'),
        ("occurred_at", "2026-11-23T12:00", 'expected an ISO 8601 time with an offset, got "2026-11-23T12:00"'),
        ("occurred_at", "1999-01-01T00:00:00Z", f'{WRONG_YEAR}, got "1999-01-01T00:00:00Z"'),
        *(
            ("input_tokens", cell, f'expected an integer from 0 to 1000000000000000, got "{cell}"')
            for cell in ("-5", "1.5", "1_000", "1,000", "1.2E+06", "+5", "٣", "²", "abc", "1000000000000001", "9" * 40)
        ),
    ],
)
def test_refusal_names_the_column_and_its_value(column: str, cell: str, detail: str) -> None:
    """What is wrong with a record is said with the column and the cell."""
    event_id = cell[:256] if column == "event_id" else "evt-1"
    assert parsed(written([row(**{column: cell})])) == [Rejected(0, event_id, f"{column}: {detail}")]


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        ([], "the file is empty: a header is required"),
        ([*csv_files.COLUMNS, "salary"], f"header: unknown column 'salary'; {EXPECTED}"),
        ([c for c in csv_files.COLUMNS if c != "model"], f"header: no column 'model'; {EXPECTED}"),
        ([*csv_files.COLUMNS, "model"], f"header: column 'model' stands there twice; {EXPECTED}"),
        (['"source'], "header: record: unexpected end of data"),
        (["\0"], "header: record: expected text without NUL"),
    ],
)
def test_wrong_header_is_told_before_anything_is_read(header: list[str], detail: str) -> None:
    """A table with other columns is no table of usage; the refusal names the column."""
    with pytest.raises(MalformedBodyError) as refusal:
        csv_files.read(io.BytesIO(",".join(header).encode()))
    assert str(refusal.value) == detail


def test_record_with_other_cells_than_the_header_is_told() -> None:
    """A comma too many moves every cell after it."""
    content = written([row()]) + b"a,b,c\n" + written([row()]).split(b"\n", 1)[1]
    results = parsed(content)
    assert results[1] == Rejected(1, "", "record: expected 11 columns, got 3")
    assert isinstance(results[2], UsageEvent)


def test_line_breaks_in_quotes_belong_to_the_cell() -> None:
    """A project may have a name of two lines; the position after it is right all the same."""
    content = written([row(project="apollo\nphase, two"), row(event_id="evt-2")])
    results = list(csv_files.read(io.BytesIO(content)))
    assert [(line, result.event_id) for line, _, result in results] == [(3, "evt-1"), (4, "evt-2")]
    assert isinstance(results[0][2], UsageEvent)
    assert results[0][2].project == "apollo\nphase, two"
    assert results[1][1] == len(content)


CELLS = st.text(st.sampled_from('a,"\n\ré '), max_size=6)


@settings(deadline=None)
@given(st.lists(CELLS, max_size=6), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_reading_is_taken_up_again_at_any_record(projects: list[str], end: str, bom: bool) -> None:  # noqa: FBT001
    """From the position after any record the rest is read as if there had been no break."""
    rows = [row(event_id=f"evt-{n}", project=project) for n, project in enumerate(projects)]
    content = b"\xef\xbb\xbf" * bom + written(rows, end=end, quoting=csv.QUOTE_ALL)
    whole = list(csv_files.read(io.BytesIO(content)))
    assert [result.event_id for _, _, result in whole] == [r["event_id"] for r in rows]
    for n, (line, offset, _) in enumerate(whole, 1):
        assert list(csv_files.read(io.BytesIO(content), start=(line, offset))) == whole[n:]
    assert not whole or whole[-1][1] == len(content)


def test_blank_lines_are_passed_over() -> None:
    """An empty line is no record."""
    assert len(parsed(written([row()]) + b"\n\r\n" + b"\n")) == 1


def test_nul_spoils_only_its_own_record() -> None:
    """What PostgreSQL cannot store is refused here."""
    results = parsed(written([row(project="a\0b"), row()]))
    assert results[0] == Rejected(0, "", "record: expected text without NUL")
    assert isinstance(results[1], UsageEvent)


def test_bytes_that_are_not_utf8_spoil_only_their_own_record() -> None:
    """A record in another encoding is told, also when it has line breaks, and the next one is read as usual."""
    content = written([row(project="caf?\nx"), row()]).replace(b"caf?", b"caf\xe9")
    first, second = parsed(content)
    assert isinstance(first, Rejected)
    assert first.detail.startswith("record: expected UTF-8")
    assert isinstance(second, UsageEvent)


def test_broken_quotes_spoil_only_their_own_line() -> None:
    """Text after a closing quote is told, and the next record is read as usual."""
    content = written([row(), row(event_id="evt-2")]).replace(b"gateway-eu,evt-1", b'"gateway"-eu,evt-1')
    first, second = parsed(content)
    assert isinstance(first, Rejected)
    assert isinstance(second, UsageEvent)


def test_quote_that_is_never_closed_is_told() -> None:
    """A record that the file ends in is not lost in silence."""
    assert parsed(written([row()]) + b'"gateway')[1:] == [Rejected(1, "", "record: unexpected end of data")]


def test_record_too_long_for_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that goes on over lines without end is given up, and the rest of the file is answered."""
    monkeypatch.setattr(lines, "MAX_LINE", 500)
    results = parsed(written([row()]) + b'"\n",' * 400)
    assert [type(result) for result in results[:2]] == [UsageEvent, Rejected]
    assert Rejected(1, "", "record: expected at most 500 bytes, got more") in results


def test_line_too_long_for_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line beyond the limit is skipped with a refusal."""
    monkeypatch.setattr(lines, "MAX_LINE", 200)
    results = parsed(written([row(project="p" * 300), row()]))
    assert results[0] == Rejected(0, "", "line: expected at most 200 bytes, got more")
    assert isinstance(results[1], UsageEvent)


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_no_bytes_raise(junk: bytes) -> None:
    """Below a good header, whatever follows is answered record by record."""
    assert all(isinstance(result, Rejected) for result in parsed(written([]) + junk))


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_no_file_raises_anything_but_malformed(junk: bytes) -> None:
    """Whatever the bytes, a file is read or refused."""
    with pytest.raises(MalformedBodyError):
        csv_files.read(io.BytesIO(junk))


def test_memory_does_not_grow_with_the_file() -> None:
    """A file is read as a stream: twenty thousand records take no more than a few."""
    [header, record, _] = written([row()]).split(b"\n")
    content = io.BytesIO(header + b"\n" + (record + b"\n") * 20_000)
    tracemalloc.start()
    count = sum(1 for _ in csv_files.read(content))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 200_000
