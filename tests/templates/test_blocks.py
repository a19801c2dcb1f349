"""The collector keeps every limit of Slack's by itself, at the limit and one beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox import block_kit
from templates import limits, render
from templates.blocks import BlockCollector, MessageLimitError

if TYPE_CHECKING:
    from collections.abc import Callable


def saying(text: str) -> Callable[[], str]:
    """What Jinja hands over as the body of a call block."""
    return lambda: text


def write_fields(page: BlockCollector, count: int, text: str = "x") -> None:
    def body() -> str:
        for _ in range(count):
            page.field(saying(text))
        return ""

    page.fields(body)


def a_table(rows: int, columns: int, cell: str = "x") -> list[list[str]]:
    return [[cell] * columns for _ in range(rows)]


LIMITS: dict[str, tuple[Callable[[BlockCollector, int], object], int]] = {
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
    page = BlockCollector()
    page.fallback("x")
    page.divider()
    write(page, most)
    _, blocks = page.finished()
    assert block_kit.problems(blocks) == ()
    for count in (most + 1, 0):
        with pytest.raises(MessageLimitError, match=rf"^{what}.*: {count}, Slack takes 1 to {most}$"):
            write(BlockCollector(), count)


def test_a_message_has_at_most_fifty_blocks() -> None:
    """Fifty blocks are a message, fifty-one are not, and none are not either."""
    for count in (0, 1, 50, 51):
        page = BlockCollector()
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
    page = BlockCollector()
    page.fallback("x")
    for _ in range(4):
        page.section(saying("x" * 3_000))
    with pytest.raises(MessageLimitError, match=r"^characters: 12001, Slack takes 1 to 12000$"):
        page.finished()
    assert limits.LONGEST_MESSAGE < block_kit.TOTAL_LIMIT


def test_a_message_needs_its_fallback() -> None:
    """Blocks without a text for notifications and screen readers are not a message."""
    page = BlockCollector()
    page.divider()
    with pytest.raises(MessageLimitError, match="fallback"):
        page.finished()


def test_a_table_is_limited_as_a_whole() -> None:
    """Cells that are short enough one by one may be too long together."""
    page = BlockCollector()
    page.fallback("x")
    page.table([["x" * 2_500] * 2, ["x" * 2_500] * 2])
    assert block_kit.problems(page.finished()[1]) == ()
    with pytest.raises(MessageLimitError, match=r"^table: characters: 10001, Slack takes 1 to 10000$"):
        BlockCollector().table([["x" * 2_500] * 4, ["x"]])


def test_a_message_takes_one_table() -> None:
    """Slack shows one table in a message, so the second is refused."""
    page = BlockCollector()
    page.fallback("x")
    page.table(a_table(2, 2))
    page.finished()
    page.table(a_table(2, 2))
    with pytest.raises(MessageLimitError, match="one table"):
        page.finished()


def test_a_field_stands_within_fields() -> None:
    """A field outside of its section is a mistake of the template, before and after a section of fields."""
    page = BlockCollector()
    for _ in range(2):
        with pytest.raises(MessageLimitError, match="outside"):
            page.field(saying("x"))
        write_fields(page, 1)


def test_blocks_are_plain_and_in_order() -> None:
    """What the template writes is what Slack gets: in its order, trimmed, without ids or anything of ours."""
    page = BlockCollector()
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


# --- Homes and what Slack draws itself -----------------------------------------------------------------------------


def a_chart(*, series: int = 1, points: int = 1, title: str = "x", label: str = "p") -> dict[str, Any]:
    names = [f"{label}{i}" for i in range(points)]
    data = [{"label": name, "value": 1} for name in names]
    drawn = {
        "type": "line",
        "series": [{"name": f"s{i}", "data": data} for i in range(series)],
        "axis_config": {"categories": names},
    }
    return {"type": "data_visualization", "title": title, "chart": drawn}


def a_pie(slices: int) -> dict[str, Any]:
    segments = [{"label": f"s{i}", "value": 1} for i in range(slices)]
    return {"type": "data_visualization", "title": "x", "chart": {"type": "pie", "segments": segments}}


NATIVE: dict[str, tuple[Callable[[BlockCollector, int], object], int]] = {
    "chart: title": (lambda page, n: page.chart(a_chart(title="x" * n)), 50),
    "chart: series": (lambda page, n: page.chart(a_chart(series=n)), 12),
    "chart: points": (lambda page, n: page.chart(a_chart(points=n)), 20),
    "chart: slices": (lambda page, n: page.chart(a_pie(n)), 12),
    "data table: rows": (lambda page, n: page.data_table("x", a_table(n + 1, 1)), 200),
    "data table: columns": (lambda page, n: page.data_table("x", a_table(2, n)), 20),
    "data table: page": (lambda page, n: page.data_table("x", a_table(2, 1), page_size=n), 100),
}


@pytest.mark.parametrize("what", NATIVE)
def test_each_limit_of_what_slack_draws_is_kept(what: str) -> None:
    """The most that Slack draws is taken on a Home and in a message, one more is refused by name, and so is nothing."""
    write, most = NATIVE[what]
    home, message = BlockCollector(), BlockCollector()
    home.home(callback="home")
    message.fallback("x")
    for page in (home, message):
        write(page, most)
    assert block_kit.view_problems(home.view(), "home") == ()
    assert block_kit.problems(message.finished()[1]) == ()
    for count in (most + 1, 0):
        with pytest.raises(MessageLimitError, match=rf"^{what}.*: {count}, Slack takes 1 to {most}$"):
            write(BlockCollector(), count)


def test_a_label_of_a_chart_is_short() -> None:
    """A label that Slack would refuse is an error of whoever drew the chart."""
    BlockCollector().chart(a_chart(label="x" * 19))
    with pytest.raises(MessageLimitError, match=r"^chart: label: 21, Slack takes 1 to 20$"):
        BlockCollector().chart(a_chart(label="x" * 20))


def test_two_charts_are_the_most() -> None:
    """A third chart is refused, in a message and on a Home; no chart at all is nothing."""
    for page in (BlockCollector(), BlockCollector()):
        page.home()
        page.fallback("x")
        for _ in range(2):
            page.chart(a_chart())
        assert page.chart(None) == ""
        assert len(page.blocks) == 2
        page.view()
        page.finished()
        page.chart(a_chart())
        with pytest.raises(MessageLimitError, match="charts: 3, Slack takes 2"):
            page.view()
        with pytest.raises(MessageLimitError, match="charts: 3, Slack takes 2"):
            page.finished()


def test_data_tables_are_limited_together() -> None:
    """Tables that are short enough one by one may be too long together; they do not count as a message's text."""
    page = BlockCollector()
    page.home()
    page.fallback("x")
    page.data_table("x", [["x" * 2_500] * 2] * 2)
    page.data_table("x", [["x" * 2_499] * 2] * 2)
    page.view()
    page.finished()
    page.data_table("x", [["x"] * 2] * 2)
    with pytest.raises(MessageLimitError, match="data tables: 20003 characters"):
        page.view()


def test_a_home_is_limited_as_a_whole() -> None:
    """A hundred blocks and 250 kB are a Home, more of either is not; forms need no word for their button there."""
    page = BlockCollector()
    page.home(callback="home", private="x")
    page.text_input("name", "Name")
    for _ in range(99):
        page.divider()
    assert len(page.view()["blocks"]) == 100
    page.divider()
    with pytest.raises(MessageLimitError, match=r"^blocks: 101, Slack takes 1 to 100$"):
        page.view()
    page = BlockCollector()
    page.home()
    for _ in range(90):
        page.section(saying("x" * 2_900))
    with pytest.raises(MessageLimitError, match=r"^view: bytes: \d+, Slack takes 1 to 250000$"):
        page.view()


@pytest.mark.parametrize("native", ["table", "data_table", "data_visualization"])
def test_modals_draw_nothing(native: str) -> None:
    """What Slack refuses in a modal is refused by name."""
    page = BlockCollector()
    page.modal("Title", callback="x")
    page.blocks.append({"type": native})
    with pytest.raises(MessageLimitError, match=f"^a modal takes no {native}$"):
        page.view()


def test_alerts_are_for_modals() -> None:
    """What is wrong with a field is said in the form: elsewhere Slack takes no alert, and in it 200 characters."""
    page = BlockCollector()
    with pytest.raises(MessageLimitError, match=r"^an alert outside of a modal$"):
        page.alert("x")
    page.modal("Title", callback="x")
    page.alert("x" * 200)
    assert block_kit.view_problems(page.view()) == ()
    with pytest.raises(MessageLimitError, match=r"^alert: characters: 201, Slack takes 1 to 200$"):
        page.alert("x" * 201)


def test_an_answer_as_a_modal_says_what_it_can() -> None:
    """A message becomes a modal without what modals cannot show; if nothing is left, with its plain text."""
    page = BlockCollector()
    page.fallback("It is ready.")
    page.table(a_table(2, 2))
    message = render.Message(*page.finished())
    assert [block["type"] for block in render.answer(message, title="Tokens")["blocks"]] == ["section"]
    page.section(saying("Words"))
    view = render.answer(render.Message(*page.finished()), title="Tokens")
    assert [block["text"]["text"] for block in view["blocks"]] == ["Words"]
    assert block_kit.view_problems(view) == ()
