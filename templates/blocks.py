"""The collector that a template of a message, a modal or a Home fills: plain Block Kit dicts, within Slack's limits.

slack_sdk's models would take 1.5 ms a message and let several limits pass; they check messages in the tests instead.
A limit that is exceeded is an error of the template, which has to say less: nothing is cut off silently.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from templates import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Caller = Callable[[], str]

Block = dict[str, Any]
NOTHING = Markup()


class MessageLimitError(ValueError):
    """A template wrote more than Slack takes, or nothing where Slack wants something."""


class BlockCollector:
    """Collects the blocks of one message in the order in which the template writes them."""

    def __init__(self) -> None:
        self.text = ""
        self.blocks: list[Block] = []
        self._fields: list[Block] | None = None
        self._elements: list[Block] | None = None
        self._view: Block = {}
        self._length = self._in_data_tables = 0

    def fallback(self, text: str) -> Markup:
        """Set what notifications and screen readers get; it holds no figures."""
        self.text = self._checked("fallback", text, limits.LONGEST_TEXT)
        return NOTHING

    def header(self, caller: Caller) -> Markup:
        text = self._checked("header", caller(), limits.LONGEST_HEADER)
        return self._add({"type": "header", "text": {"type": "plain_text", "text": text}})

    def section(self, caller: Caller) -> Markup:
        text = self._checked("section", caller(), limits.LONGEST_TEXT)
        return self._add({"type": "section", "text": {"type": "mrkdwn", "text": text}})

    def fields(self, caller: Caller) -> Markup:
        """A section of short texts in two columns; the caller writes them with `field`."""
        collected: list[Block] = []
        self._fields = collected
        caller()
        self._fields = None
        self._count("fields", len(collected), limits.MOST_FIELDS)
        return self._add({"type": "section", "fields": collected})

    def field(self, caller: Caller) -> Markup:
        if self._fields is None:
            raise MessageLimitError("field outside of fields")
        self._fields.append({"type": "mrkdwn", "text": self._checked("field", caller(), limits.LONGEST_FIELD)})
        return NOTHING

    def context(self, caller: Caller) -> Markup:
        text = self._checked("context", caller(), limits.LONGEST_CONTEXT)
        return self._add({"type": "context", "elements": [{"type": "mrkdwn", "text": text}]})

    def alert(self, text: str) -> Markup:
        """What is wrong with the field above it, in a modal; plain text, so what people typed stays that."""
        if self._view.get("type") != "modal":
            raise MessageLimitError("an alert outside of a modal")
        return self._add({"type": "alert", "level": "error", "text": self._plain("alert", text, limits.LONGEST_ALERT)})

    def divider(self) -> Markup:
        return self._add({"type": "divider"})

    def actions(self, caller: Caller) -> Markup:
        """A row of buttons; the caller writes them with `button`."""
        collected: list[Block] = []
        self._elements = collected
        caller()
        self._elements = None
        self._count("actions", len(collected), limits.MOST_ACTIONS)
        return self._add({"type": "actions", "elements": collected})

    def button(
        self, text: str, action: str, value: str = "", *, style: str = "", confirm: tuple[str, str, str] | None = None
    ) -> Markup:
        """A button of `actions`; `confirm` is (title, text, word to go on with) that is asked for first."""
        if self._elements is None:
            raise MessageLimitError("button outside of actions")
        button: Block = {
            "type": "button",
            "text": self._plain("button", text, limits.LONGEST_BUTTON),
            "action_id": action,
        }
        if value:
            button["value"] = self._checked("button: value", value, limits.LONGEST_VALUE)
        if style:
            button["style"] = style
        if confirm:
            title, question, word = confirm
            button["confirm"] = {
                "title": self._plain("confirm: title", title, 100),
                "text": self._plain("confirm: text", question, 300),
                "confirm": self._plain("confirm", word, 30),
                "deny": self._plain("deny", "Back", 30),
            }
        self._elements.append(button)
        return NOTHING

    # Modals

    def modal(
        self,
        title: str,
        *,
        callback: str,
        submit: str = "",
        close: str = "Close",
        private: str = "",
        tell_of_closing: bool = False,
    ) -> Markup:
        """Make this a modal: its title, the words of its buttons, and what only the app sees."""
        self._view = {
            "type": "modal",
            "callback_id": callback,
            "title": self._plain("title", title, limits.LONGEST_TITLE),
            "close": self._plain("close", close, limits.LONGEST_TITLE),
            "notify_on_close": tell_of_closing,
        }
        if submit:
            self._view["submit"] = self._plain("submit", submit, limits.LONGEST_TITLE)
        if private:
            self._view["private_metadata"] = self._checked("private metadata", private, limits.LONGEST_PRIVATE)
        return NOTHING

    def home(self, *, callback: str = "", private: str = "") -> Markup:
        """Make this a person's Home; `private` is what only the app sees."""
        self._view = {"type": "home"}
        if callback:
            self._view["callback_id"] = callback
        if private:
            self._view["private_metadata"] = self._checked("private metadata", private, limits.LONGEST_PRIVATE)
        return NOTHING

    def text_input(
        self,
        block_id: str,
        label: str,
        *,
        initial: str = "",
        placeholder: str = "",
        hint: str = "",
        longest: int = 3_000,
        multiline: bool = False,
        optional: bool = False,
        live: bool = False,
    ) -> Markup:
        """A field to write in; a `live` one tells of every change, not only at the end."""
        element: Block = {"type": "plain_text_input", "multiline": multiline, "max_length": longest}
        if initial:
            element["initial_value"] = initial[:longest]
        if live:
            element["dispatch_action_config"] = {"trigger_actions_on": ["on_character_entered"]}
        return self._input(block_id, label, element, placeholder, hint, optional=optional, live=live)

    def date_input(
        self, block_id: str, label: str, *, initial: str, hint: str = "", optional: bool = False, live: bool = False
    ) -> Markup:
        element: Block = {"type": "datepicker"}
        if initial:
            element["initial_date"] = initial
        return self._input(block_id, label, element, "", hint, optional=optional, live=live)

    def select_input(
        self,
        block_id: str,
        label: str,
        options: Sequence[tuple[str, str]],
        *,
        initial: str = "",
        placeholder: str = "",
        hint: str = "",
        optional: bool = False,
        live: bool = False,
        radio: bool = False,
    ) -> Markup:
        """A choice of (value, words)."""
        self._count("options", len(options), limits.MOST_OPTIONS)
        shown = {value: self._option(value, words) for value, words in options}
        element: Block = {"type": "radio_buttons" if radio else "static_select", "options": list(shown.values())}
        if initial in shown:
            element["initial_option"] = shown[initial]
        return self._input(block_id, label, element, placeholder, hint, optional=optional, live=live)

    def search_input(
        self,
        block_id: str,
        label: str,
        *,
        initial: tuple[str, str] | None = None,
        placeholder: str = "",
        hint: str = "",
        optional: bool = False,
        live: bool = False,
    ) -> Markup:
        """A choice among more than a menu holds, which the app looks through; `initial` is (value, words)."""
        element: Block = {"type": "external_select", "min_query_length": 0}
        if initial:
            element["initial_option"] = self._option(*initial)
        return self._input(block_id, label, element, placeholder, hint, optional=optional, live=live)

    def checks_input(
        self,
        block_id: str,
        label: str,
        options: Sequence[tuple[str, str]],
        *,
        initial: Sequence[str] = (),
        hint: str = "",
        optional: bool = False,
    ) -> Markup:
        """Boxes to tick, of (value, words)."""
        self._count("options", len(options), limits.MOST_BOXES)
        shown = {value: self._option(value, words) for value, words in options}
        element: Block = {"type": "checkboxes", "options": list(shown.values())}
        if ticked := [shown[value] for value in shown if value in initial]:
            element["initial_options"] = ticked
        return self._input(block_id, label, element, "", hint, optional=optional, live=False)

    def people_input(
        self,
        block_id: str,
        label: str,
        *,
        initial: Sequence[str] = (),
        placeholder: str = "",
        hint: str = "",
        most: int = 10,
        optional: bool = False,
        live: bool = False,
    ) -> Markup:
        """A choice of several Slack users."""
        element: Block = {"type": "multi_users_select", "max_selected_items": most}
        if initial:
            element["initial_users"] = list(initial)
        return self._input(block_id, label, element, placeholder, hint, optional=optional, live=live)

    def _input(
        self, block_id: str, label: str, element: Block, placeholder: str, hint: str, *, optional: bool, live: bool
    ) -> Markup:
        element["action_id"] = block_id
        if placeholder:
            element["placeholder"] = self._plain("placeholder", placeholder, limits.LONGEST_HEADER)
        block: Block = {
            "type": "input",
            "block_id": block_id,
            "label": self._plain("label", label, limits.LONGEST_LABEL),
            "element": element,
            "optional": optional,
            "dispatch_action": live,
        }
        if hint:
            block["hint"] = self._plain("hint", hint, limits.LONGEST_HINT)
        return self._add(block)

    def _option(self, value: str, words: str) -> Block:
        self._count("option: value", len(value), limits.LONGEST_OPTION_VALUE)
        return {"text": self._plain("option", words, limits.LONGEST_OPTION), "value": value}

    def _plain(self, what: str, text: str, longest: int) -> Block:
        return {"type": "plain_text", "text": self._checked(what, text, longest)}

    def view(self) -> Block:
        """The modal or the Home, once it as a whole is within the limits."""
        if not self._view:
            raise MessageLimitError("a modal needs a title")
        self._count("blocks", len(self.blocks), limits.MOST_VIEW_BLOCKS)
        if self._view["type"] == "modal":
            self._check_modal()
        self._check_shared()
        view = {**self._view, "blocks": self.blocks}
        self._count("view: bytes", len(json.dumps(view)), limits.LARGEST_VIEW)
        return view

    def _check_modal(self) -> None:
        if any(block["type"] == "input" for block in self.blocks) and "submit" not in self._view:
            raise MessageLimitError("a modal with inputs needs a word for its submit button")
        if refused := sorted({block["type"] for block in self.blocks} & limits.NOT_IN_MODALS):
            raise MessageLimitError(f"a modal takes no {refused[0]}")

    def _check_shared(self) -> None:
        """Limits that blocks of one type share within a message or a view."""
        types = [block["type"] for block in self.blocks]
        if types.count("table") > 1:
            raise MessageLimitError("a message takes one table")
        if (charts := types.count("data_visualization")) > limits.MOST_CHARTS:
            raise MessageLimitError(f"charts: {charts}, Slack takes {limits.MOST_CHARTS}")
        if self._in_data_tables > limits.LONGEST_DATA_TABLE:
            raise MessageLimitError(
                f"data tables: {self._in_data_tables} characters, Slack takes {limits.LONGEST_DATA_TABLE}"
            )

    def chart(self, block: Block | None) -> Markup:
        """A chart that Slack draws itself (templates/charts); nothing where there is none to draw."""
        if block is None:
            return NOTHING
        self._checked("chart: title", block["title"], limits.LONGEST_CHART_TITLE)
        drawn = block["chart"]
        if drawn["type"] == "pie":
            self._check_labels("chart: slices", [one["label"] for one in drawn["segments"]], limits.MOST_SERIES)
        else:
            self._check_labels("chart: series", [one["name"] for one in drawn["series"]], limits.MOST_SERIES)
            self._check_labels("chart: points", drawn["axis_config"]["categories"], limits.MOST_POINTS)
        return self._add(block)

    def _check_labels(self, what: str, labels: Sequence[str], most: int) -> None:
        self._count(what, len(labels), most)
        for label in labels:
            self._count("chart: label", len(label), limits.LONGEST_CHART_LABEL)

    def data_table(
        self, caption: str, rows: Sequence[Sequence[str | tuple[float, str]]], *, page_size: int = 5
    ) -> Markup:
        """A table that its reader can sort and turn over; its first row is its heading.

        A cell is a text, or (number, how it is written).
        """
        self._count("data table: rows", len(rows) - 1, limits.MOST_DATA_ROWS - 1)
        self._count("data table: columns", len(rows[0]), limits.MOST_TABLE_COLUMNS)
        self._count("data table: page", page_size, limits.MOST_PAGE_ROWS)
        cells = [[self._data_cell(cell) for cell in row] for row in rows]
        return self._add(
            {
                "type": "data_table",
                "caption": self._counted_apart("caption", caption),
                "rows": cells,
                "page_size": page_size,
            }
        )

    def _data_cell(self, cell: str | tuple[float, str]) -> Block:
        if isinstance(cell, tuple):
            return {"type": "raw_number", "value": cell[0], "text": self._counted_apart("cell", cell[1])}
        return {"type": "raw_text", "text": self._counted_apart("cell", cell)}

    def _counted_apart(self, what: str, text: str) -> str:
        """What is in data tables does not count towards a message's length: they have a limit of their own."""
        text = str(text).strip()
        self._count(f"{what}: characters", len(text), limits.LONGEST_TEXT)
        self._in_data_tables += len(text)
        return text

    def table(self, rows: Sequence[Sequence[object]], numbers: Sequence[int] = ()) -> Markup:
        """A table whose first row is its heading; the columns in `numbers` are set to the right."""
        self._count("table rows", len(rows), limits.MOST_TABLE_ROWS)
        self._count("table columns", len(rows[0]), limits.MOST_TABLE_COLUMNS)
        cells = [
            [{"type": "raw_text", "text": self._checked("cell", str(c), limits.LONGEST_TEXT)} for c in r] for r in rows
        ]
        self._count("table: characters", sum(len(cell["text"]) for row in cells for cell in row), limits.LONGEST_TABLE)
        settings = [{"align": "right"} if i in numbers else {"align": "left"} for i in range(len(rows[0]))]
        return self._add({"type": "table", "rows": cells, "column_settings": settings})

    def finished(self) -> tuple[str, list[Block]]:
        """(fallback text, blocks), once the message as a whole is within the limits."""
        if not self.text:
            raise MessageLimitError("a message needs a fallback text")
        self._count("blocks", len(self.blocks), limits.MOST_BLOCKS)
        self._count("characters", self._length, limits.LONGEST_MESSAGE)
        self._check_shared()
        return self.text, self.blocks

    def _add(self, block: Block) -> Markup:
        self.blocks.append(block)
        return NOTHING

    def _checked(self, what: str, text: str, longest: int) -> str:
        text = str(text).strip()
        self._count(f"{what}: characters", len(text), longest)
        self._length += len(text)
        return text

    @staticmethod
    def _count(what: str, count: int, most: int) -> None:
        if not 1 <= count <= most:
            raise MessageLimitError(f"{what}: {count}, Slack takes 1 to {most}")
