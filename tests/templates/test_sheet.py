"""The collector keeps every limit of Slack's by itself, at the limit and one beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox import block_kit
from templates import sheet
from templates.sheet import MessageLimitError, Sheet

if TYPE_CHECKING:
    from collections.abc import Callable


def saying(text: str) -> Callable[[], str]:
    """What Jinja hands over as the body of a call block."""
    return lambda: text


def write_fields(page: Sheet, count: int, text: str = "x") -> None:
    def body() -> str:
        for _ in range(count):
            page.field(saying(text))
        return ""

    page.fields(body)


def a_table(rows: int, columns: int, cell: str = "x") -> list[list[str]]:
    return [[cell] * columns for _ in range(rows)]


LIMITS: dict[str, tuple[Callable[[Sheet, int], object], int]] = {
    "header": (lambda page, n: page.header(saying("x" * n)), 150),
    "section": (lambda page, n: page.section(saying("x" * n)), 3_000),
    "context": (lambda page, n: page.context(saying("x" * n)), 2_000),
    "field": (lambda page, n: write_fields(page, 1, "x" * n), 2_000),
    "fields": (write_fields, 10),
    "fallback": (lambda page, n: page.fallback("x" * n), 3_000),
    "cell": (lambda page, n: page.table(a_table(1, 1, "x" * n)), 3_000),
    "table rows": (lambda page, n: page.table(a_table(n, 1)), 100),
    "table columns": (lambda page, n: page.table(a_table(1, n)), 20),
}


@pytest.mark.parametrize("what", LIMITS)
def test_each_limit_is_kept(what: str) -> None:
    """The most that Slack takes is taken, one more is refused by name, and nothing at all is refused as well."""
    write, most = LIMITS[what]
    page = Sheet()
    page.fallback("x")
    page.divider()
    write(page, most)
    _, blocks = page.finished()
    assert block_kit.problems(blocks) == ()
    for count in (most + 1, 0):
        with pytest.raises(MessageLimitError, match=rf"^{what}.*: {count}, Slack takes 1 to {most}$"):
            write(Sheet(), count)


def test_a_message_has_at_most_fifty_blocks() -> None:
    """Fifty blocks are a message, fifty-one are not, and none are not either."""
    for count in (0, 1, 50, 51):
        page = Sheet()
        page.fallback("x")
        for _ in range(count):
            page.divider()
        if count in (1, 50):
            assert len(page.finished()[1]) == count
        else:
            with pytest.raises(MessageLimitError, match=rf"^blocks: {count}, Slack takes 1 to 50$"):
                page.finished()


def test_a_message_is_limited_as_a_whole() -> None:
    """Blocks that are short enough one by one may be too long together; the limit lies below Slack's own."""
    page = Sheet()
    page.fallback("x")
    for _ in range(4):
        page.section(saying("x" * 3_000))
    with pytest.raises(MessageLimitError, match=r"^characters: 12001, Slack takes 1 to 12000$"):
        page.finished()
    assert sheet.LONGEST_MESSAGE < block_kit.TOTAL_LIMIT


def test_a_message_needs_its_fallback() -> None:
    """Blocks without a text for notifications and screen readers are not a message."""
    page = Sheet()
    page.divider()
    with pytest.raises(MessageLimitError, match="fallback"):
        page.finished()


def test_a_table_is_limited_as_a_whole() -> None:
    """Cells that are short enough one by one may be too long together."""
    page = Sheet()
    page.fallback("x")
    page.table([["x" * 2_500] * 2, ["x" * 2_500] * 2])
    assert block_kit.problems(page.finished()[1]) == ()
    with pytest.raises(MessageLimitError, match=r"^table: characters: 10001, Slack takes 1 to 10000$"):
        Sheet().table([["x" * 2_500] * 4, ["x"]])


def test_a_message_takes_one_table() -> None:
    """Slack shows one table in a message, so the second is refused."""
    page = Sheet()
    page.fallback("x")
    page.table(a_table(2, 2))
    page.finished()
    page.table(a_table(2, 2))
    with pytest.raises(MessageLimitError, match="one table"):
        page.finished()


def test_a_field_stands_within_fields() -> None:
    """A field outside of its section is a mistake of the template, before and after a section of fields."""
    page = Sheet()
    for _ in range(2):
        with pytest.raises(MessageLimitError, match="outside"):
            page.field(saying("x"))
        write_fields(page, 1)


def test_blocks_are_plain_and_in_order() -> None:
    """What the template writes is what Slack gets: in its order, trimmed, without ids or anything of ours."""
    page = Sheet()
    page.fallback(" Hello ")
    page.header(saying("\nTitle\n"))
    page.section(saying("\n *text* \n"))
    page.divider()
    write_fields(page, 2, " f ")
    page.table([["a", "b"], ["c", 1]], numbers=[1])
    page.context(saying("small"))
    cells: Any = [[{"type": "raw_text", "text": text} for text in row] for row in (("a", "b"), ("c", "1"))]
    assert page.finished() == (
        "Hello",
        [
            {"type": "header", "text": {"type": "plain_text", "text": "Title"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "*text*"}},
            {"type": "divider"},
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "f"}] * 2},
            {"type": "table", "rows": cells, "column_settings": [{"align": "left"}, {"align": "right"}]},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "small"}]},
        ],
    )
