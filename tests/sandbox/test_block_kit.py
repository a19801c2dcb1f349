"""The validator: at each limit a message is accepted, one above it is refused, and the refusal says where."""

from typing import Any

import pytest

from sandbox import block_kit
from tests.sandbox.company import BALANCE, button, mrkdwn, options, plain, section
from tests.sandbox.homes import data_table, figure, in_cell, pie, plot, text

Blocks = list[dict[str, Any]]


def context(count: int) -> dict[str, Any]:
    return {"type": "context", "elements": [mrkdwn("x")] * count}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def buttons(count: int) -> dict[str, Any]:
    return actions(*(button(action_id=f"a{number}") for number in range(count)))


def select(count: int) -> dict[str, Any]:
    return {"type": "static_select", "action_id": "s", "options": options(count)}


def choices(kind: str, count: int) -> dict[str, Any]:
    return {"type": kind, "action_id": "c", "options": options(count)}


def table(rows: int, columns: int, text: str = "x") -> dict[str, Any]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns] * rows}


def rows(count: int, columns: int = 1, words: str = "x") -> dict[str, Any]:
    return data_table(*[[text(words)] * columns] * count)


def lines(count: int, points: int = 1) -> dict[str, Any]:
    return plot("line", *((f"Team {number}", (1.5,) * points) for number in range(count)))


def axes(**more: str) -> dict[str, Any]:
    return plot("bar", ("Used", (1, 2)), **more)


RICH = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}]}


def picture(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of an image
    return {"type": "image", "image_url": "https://example.org/x.png", "alt_text": "A chart", **more}


def header(length: int) -> dict[str, Any]:
    return {"type": "header", "text": plain("x" * length)}


def markdown(length: int) -> dict[str, Any]:
    return {"type": "markdown", "text": "x" * length}


def confirm(title: int) -> dict[str, Any]:
    return {"title": plain("x" * title), "text": plain("x"), "confirm": plain("Yes"), "deny": plain("No")}


LIMITS: list[tuple[str, Blocks, Blocks, str]] = [
    ("blocks", [section()] * 50, [section()] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    ("section text", [section("x" * 3000)], [section("x" * 3001)], "[json-pointer:/blocks/0/text/text]"),
    ("no text", [section("x")], [section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    (
        "fields",
        [{"type": "section", "fields": [mrkdwn("x")] * 10}],
        [{"type": "section", "fields": [mrkdwn("x")] * 11}],
        "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
    ),
    (
        "field text",
        [{"type": "section", "fields": [mrkdwn("x" * 2000)]}],
        [{"type": "section", "fields": [mrkdwn("x" * 2001)]}],
        "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
    ),
    ("header", [header(150)], [header(151)], "must be less than 151 characters [json-pointer:/blocks/0/text/text]"),
    ("context", [context(10)], [context(11)], "no more than 10 items allowed [json-pointer:/blocks/0/elements]"),
    ("actions", [buttons(25)], [buttons(26)], "no more than 25 items allowed [json-pointer:/blocks/0/elements]"),
    ("no actions", [buttons(1)], [buttons(0)], "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"),
    (
        "button text",
        [actions(button("x" * 75))],
        [actions(button("x" * 76))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
    ),
    (
        "button value",
        [actions(button(value="x" * 2000))],
        [actions(button(value="x" * 2001))],
        "[json-pointer:/blocks/0/elements/0/value]",
    ),
    (
        "action id",
        [actions(button(action_id="x" * 255))],
        [actions(button(action_id="x" * 256))],
        "[json-pointer:/blocks/0/elements/0/action_id]",
    ),
    (
        "unique action id",
        [buttons(1), buttons(1)],
        [actions(button(action_id="a"), button(action_id="a"))],
        "action_id already exists: a [json-pointer:/blocks/0/elements/1/action_id]",
    ),
    (
        "block id",
        [section(block_id="x" * 255)],
        [section(block_id="x" * 256)],
        "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
    ),
    (
        "unique block id",
        [section(block_id="a"), section(block_id="b")],
        [section(block_id="a"), section(block_id="a")],
        "block_id already exists: a [json-pointer:/blocks/1/block_id]",
    ),
    (
        "alt text",
        [picture(alt_text="x" * 2000)],
        [picture(alt_text="")],
        "must be more than 0 characters [json-pointer:/blocks/0/alt_text]",
    ),
    (
        "image source",
        [picture()],
        [{"type": "image", "alt_text": "x"}],
        "missing one of the fields: image_url, slack_file [json-pointer:/blocks/0]",
    ),
    (
        "one image source",
        [{"type": "image", "alt_text": "x", "slack_file": {"id": "F012345678"}}],
        [picture(slack_file={"id": "F012345678"})],
        "only one of the fields is allowed: image_url, slack_file [json-pointer:/blocks/0]",
    ),
    (
        "one name of a file",
        [{"type": "image", "alt_text": "x", "slack_file": {"url": "https://example.org/F012345678"}}],
        [{"type": "image", "alt_text": "x", "slack_file": {"id": "F012345678", "url": "https://example.org/F0"}}],
        "only one of the fields is allowed: id, url [json-pointer:/blocks/0/slack_file]",
    ),
    (
        "id of a file",
        [section(accessory={"type": "image", "alt_text": "x", "slack_file": {"id": "F012345678"}})],
        [section(accessory={"type": "image", "alt_text": "x", "slack_file": {"id": "chart.png"}})],
        "input must match regex pattern: ^[F][A-Z0-9]{8,}$ [json-pointer:/blocks/0/accessory/slack_file/id]",
    ),
    (
        "image url",
        [picture(image_url="https://e.org/" + "x" * 2986)],
        [picture(image_url="https://e.org/" + "x" * 2987)],
        "must be less than 3001 characters [json-pointer:/blocks/0/image_url]",
    ),
    (
        "options",
        [actions(select(100))],
        [actions(select(101))],
        "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    (
        "checkboxes",
        [actions(choices("checkboxes", 10))],
        [actions(choices("checkboxes", 11))],
        "no more than 10 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    (
        "overflow",
        [actions(choices("overflow", 5))],
        [actions(choices("overflow", 6))],
        "no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    (
        "confirm title",
        [actions(button(confirm=confirm(100)))],
        [actions(button(confirm=confirm(101)))],
        "[json-pointer:/blocks/0/elements/0/confirm/title/text]",
    ),
    ("table rows", [table(100, 1)], [table(101, 1)], "no more than 100 items allowed [json-pointer:/blocks/0/rows]"),
    (
        "table columns",
        [table(1, 20)],
        [table(1, 21)],
        "no more than 20 items allowed [json-pointer:/blocks/0/rows/0]",
    ),
    (
        "table text",
        [table(10, 10, "x" * 100)],
        [table(10, 10, "x" * 101)],
        "a table must be less than 10001 characters [json-pointer:/blocks]",
    ),
    ("tables", [table(1, 1)], [table(1, 1), table(1, 1)], "only one table is allowed [json-pointer:/blocks]"),
    (
        "data table rows",
        [rows(201), rows(2)],
        [rows(202)],
        "no more than 201 items allowed [json-pointer:/blocks/0/rows]",
    ),
    ("only a header", [rows(2)], [rows(1)], "no fewer than 2 items allowed [json-pointer:/blocks/0/rows]"),
    (
        "data table columns",
        [data_table([text("x")] * 20, [text("x")] * 20)],
        [data_table([text("x")] * 20, [text("x")] * 21)],
        "no more than 20 items allowed [json-pointer:/blocks/0/rows/1]",
    ),
    (
        "ragged data table",
        [data_table([text("x")] * 2, [text("x")] * 2)],
        [data_table([text("x")] * 2, [text("x")])],
        "all rows must have the same number of cells [json-pointer:/blocks/0/rows/1]",
    ),
    (
        "rich header",
        [data_table([text("x"), figure(1, "1")], [RICH, in_cell("Go")])],
        [data_table([text("x"), RICH], [text("x"), text("x")])],
        "rich_text is not allowed in a header [json-pointer:/blocks/0/rows/0/1/type]",
    ),
    (
        "data table text",
        [rows(10, 10, "x" * 100), rows(10, 10, "x" * 100)],
        [rows(10, 10, "x" * 100), rows(10, 10, "x" * 101)],
        "all data tables must be less than 20001 characters [json-pointer:/blocks]",
    ),
    (
        "page size",
        [rows(2) | {"page_size": 100}],
        [rows(2) | {"page_size": 101}],
        "must be between 1 and 100 [json-pointer:/blocks/0/page_size]",
    ),
    (
        "row header",
        [rows(2, 3) | {"row_header_column_index": 2}],
        [rows(2, 3) | {"row_header_column_index": 3}],
        "must be the index of a column [json-pointer:/blocks/0/row_header_column_index]",
    ),
    (
        "caption",
        [rows(2)],
        [{"type": "data_table", "rows": [[text("x")]] * 2}],
        "missing required field: caption [json-pointer:/blocks/0]",
    ),
    (
        "charts in a message",
        [pie(1)] * 2,
        [pie(1)] * 3,
        "no more than 2 data_visualization blocks are allowed [json-pointer:/blocks]",
    ),
    (
        "chart title",
        [pie(1) | {"title": "x" * 50}],
        [pie(1) | {"title": "x" * 51}],
        "must be less than 51 characters [json-pointer:/blocks/0/title]",
    ),
    ("series", [lines(12)], [lines(13)], "no more than 12 items allowed [json-pointer:/blocks/0/chart/series]"),
    (
        "x label",
        [axes(x_label="x" * 50)],
        [axes(x_label="x" * 51)],
        "must be less than 51 characters [json-pointer:/blocks/0/chart/axis_config/x_label]",
    ),
    (
        "series name",
        [plot("area", ("x" * 20, (-1, 0)))],
        [plot("area", ("x" * 21, (-1, 0)))],
        "must be less than 21 characters [json-pointer:/blocks/0/chart/series/0/name]",
    ),
    (
        "one name for one series",
        [plot("area", ("Ada", (1,)), ("Ben", (1,)))],
        [plot("area", ("Ada", (1,)), ("Ada", (1,)))],
        "name already exists: Ada [json-pointer:/blocks/0/chart/series/1/name]",
    ),
    (
        "a point for each category",
        [plot("bar", ("Ada", (1, 2)))],
        [plot("bar", ("Ada", (1, 2)), categories=["Week 1", "Week 3"])],
        "must have exactly one data point for each category [json-pointer:/blocks/0/chart/series/0/data]",
    ),
    (
        "segments",
        [pie(*[1] * 12)],
        [pie(*[1] * 13)],
        "no more than 12 items allowed [json-pointer:/blocks/0/chart/segments]",
    ),
    (
        "segment of nothing",
        [pie(0.01)],
        [pie(0)],
        "must be more than 0 [json-pointer:/blocks/0/chart/segments/0/value]",
    ),
    (
        "markdown",
        [markdown(6000), markdown(6000)],
        [markdown(6000), markdown(6001)],
        "all markdown together must be less than 12001 characters [json-pointer:/blocks]",
    ),
]


@pytest.mark.parametrize(("good", "bad", "problem"), [case[1:] for case in LIMITS], ids=[case[0] for case in LIMITS])
def test_limits(good: Blocks, bad: Blocks, problem: str) -> None:
    """What is at a limit passes; what is one beyond it is refused with the place named."""
    assert block_kit.problems(good) == ()
    found = block_kit.problems(bad)
    assert len(found) == 1
    assert found[0].startswith("[ERROR] ")
    assert found[0].endswith(problem)


WRONG: list[tuple[str, Any, str]] = [
    (
        "unknown chart",
        [pie(1) | {"chart": {"type": "radar", "segments": []}}],
        "unsupported type: radar [json-pointer:/blocks/0/chart/type]",
    ),
    (
        "menu in a cell",
        [data_table([text("x")], [{"type": "action_cell", "element": select(1)}])],
        "unsupported type: static_select [json-pointer:/blocks/0/rows/1/0/element/type]",
    ),
    (
        "button to fall back on",
        [data_table([text("x")], [in_cell("Go") | {"fallback": in_cell("Go")}])],
        "unsupported type: action_cell [json-pointer:/blocks/0/rows/1/0/fallback/type]",
    ),
    ("unknown block", [{"type": "chart"}], "unsupported type: chart [json-pointer:/blocks/0/type]"),
    ("no type", [{"text": plain("x")}], "missing required field: type [json-pointer:/blocks/0]"),
    ("unknown key", [section(colour="red")], "invalid additional property: colour [json-pointer:/blocks/0]"),
    (
        "key of the wrong text",
        [section("x") | {"text": {"type": "mrkdwn", "text": "x", "emoji": True}}],
        "invalid additional property: emoji [json-pointer:/blocks/0/text]",
    ),
    (
        "marked-up header",
        [{"type": "header", "text": mrkdwn("x")}],
        "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
    ),
    ("bare text", [{"type": "header", "text": "x"}], "must provide an object [json-pointer:/blocks/0/text]"),
    ("empty section", [{"type": "section"}], "missing one of the fields: text, fields [json-pointer:/blocks/0]"),
    ("no object", ["hello"], "must provide an object [json-pointer:/blocks/0]"),
    ("no array", {"type": "divider"}, "must provide an array [json-pointer:/blocks]"),
    (
        "script address",
        [actions(button(url="javascript:alert(1)"))],
        "must be a valid url [json-pointer:/blocks/0/elements/0/url]",
    ),
    (
        "style",
        [actions(button(style="loud"))],
        "must be one of: primary, danger [json-pointer:/blocks/0/elements/0/style]",
    ),
    (
        "null column",
        [table(1, 1) | {"column_settings": [None]}],
        "must provide an object [json-pointer:/blocks/0/column_settings/0]",
    ),
    ("no boolean", [section(expand="yes")], "must provide a boolean [json-pointer:/blocks/0/expand]"),
    (
        "input in a message",
        [{"type": "input", "label": plain("x"), "element": {"type": "plain_text_input"}}],
        "input is not allowed in a message [json-pointer:/blocks/0/type]",
    ),
    (
        "alert in a message",
        [{"type": "alert", "text": plain("x")}],
        "alert is not allowed in a message [json-pointer:/blocks/0/type]",
    ),
]


@pytest.mark.parametrize(("blocks", "problem"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_malformed(blocks: object, problem: str) -> None:
    """Whatever the client library lets pass and the platform does not, is refused here too."""
    assert block_kit.problems(blocks) == (f"[ERROR] {problem}",)


def test_modal_blocks() -> None:
    """Inputs and alerts belong in modals, tables do not, and a modal may have 100 blocks."""
    modal: Blocks = [
        {"type": "input", "label": plain("Why?"), "element": {"type": "plain_text_input", "action_id": "why"}},
        {"type": "alert", "text": plain("x" * 200)},
    ]
    assert block_kit.problems(modal + [section()] * 98, "modal") == ()
    assert len(block_kit.problems(modal + [section()] * 99, "modal")) == 1
    assert block_kit.problems([table(1, 1)], "modal") == (
        "[ERROR] table is not allowed in a modal [json-pointer:/blocks/0/type]",
    )


def test_points_beyond_the_axis() -> None:
    """A chart has at most twenty categories, and as many points in each of its series."""
    assert block_kit.problems([lines(1, 20)]) == ()
    found = block_kit.problems([lines(1, 21)])
    assert {problem.partition("[json-pointer:/blocks/0/chart")[2] for problem in found} == {
        "/series/0/data]",
        "/axis_config/categories]",
    }


def test_data_belongs_in_no_modal() -> None:
    """Charts and data tables are for messages and Homes."""
    for block in (pie(1), rows(2)):
        assert block_kit.problems([block], "home") == ()
        assert block_kit.problems([block], "modal") == (
            f"[ERROR] {block['type']} is not allowed in a modal [json-pointer:/blocks/0/type]",
        )


def test_rich_answer() -> None:
    """A message with a bit of everything is a good one."""
    assert block_kit.problems(BALANCE) == ()


def test_total() -> None:
    """The total counts the characters of all texts, not ids and types."""
    assert not block_kit.too_long([section("x" * 3000, block_id="y" * 200)] * 4 + [section("x" * 1200)])
    assert block_kit.too_long([section("x" * 3000)] * 4 + [section("x" * 1201)])
    assert not block_kit.too_long([rows(10, 10, "x" * 200)])
