"""The collector that a message template fills: plain Block Kit dicts, within Slack's limits.

slack_sdk's models would take 1.5 ms a message and let several limits pass; they check messages in the tests instead.
A limit that is exceeded is an error of the template, which has to say less: nothing is cut off silently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Caller = Callable[[], str]

Block = dict[str, Any]
NOTHING = Markup()

MOST_BLOCKS = 50
MOST_FIELDS = 10
MOST_ELEMENTS = 10
MOST_TABLE_ROWS = 100
MOST_TABLE_COLUMNS = 20
LONGEST_TEXT = 3_000
LONGEST_FIELD = 2_000
LONGEST_HEADER = 150
LONGEST_CONTEXT = 2_000
LONGEST_TABLE = 10_000
LONGEST_MESSAGE = 12_000
"""Slack refuses messages near 13,200 characters without documenting it."""


class MessageLimitError(ValueError):
    """A template wrote more than Slack takes, or nothing where Slack wants something."""


class Sheet:
    """Collects the blocks of one message in the order in which the template writes them."""

    def __init__(self) -> None:
        self.text = ""
        self.blocks: list[Block] = []
        self._fields: list[Block] | None = None
        self._length = 0

    def fallback(self, text: str) -> Markup:
        """Set what notifications and screen readers get; it holds no figures."""
        self.text = self._checked("fallback", text, LONGEST_TEXT)
        return NOTHING

    def header(self, caller: Caller) -> Markup:
        text = self._checked("header", caller(), LONGEST_HEADER)
        return self._add({"type": "header", "text": {"type": "plain_text", "text": text}})

    def section(self, caller: Caller) -> Markup:
        text = self._checked("section", caller(), LONGEST_TEXT)
        return self._add({"type": "section", "text": {"type": "mrkdwn", "text": text}})

    def fields(self, caller: Caller) -> Markup:
        """A section of short texts in two columns; the caller writes them with `field`."""
        collected: list[Block] = []
        self._fields = collected
        caller()
        self._fields = None
        self._count("fields", len(collected), MOST_FIELDS)
        return self._add({"type": "section", "fields": collected})

    def field(self, caller: Caller) -> Markup:
        if self._fields is None:
            raise MessageLimitError("field outside of fields")
        self._fields.append({"type": "mrkdwn", "text": self._checked("field", caller(), LONGEST_FIELD)})
        return NOTHING

    def context(self, caller: Caller) -> Markup:
        text = self._checked("context", caller(), LONGEST_CONTEXT)
        return self._add({"type": "context", "elements": [{"type": "mrkdwn", "text": text}]})

    def divider(self) -> Markup:
        return self._add({"type": "divider"})

    def table(self, rows: Sequence[Sequence[object]], numbers: Sequence[int] = ()) -> Markup:
        """A table whose first row is its heading; the columns in `numbers` are set to the right."""
        self._count("table rows", len(rows), MOST_TABLE_ROWS)
        self._count("table columns", len(rows[0]), MOST_TABLE_COLUMNS)
        cells = [[{"type": "raw_text", "text": self._checked("cell", str(c), LONGEST_TEXT)} for c in r] for r in rows]
        self._count("table: characters", sum(len(cell["text"]) for row in cells for cell in row), LONGEST_TABLE)
        settings = [{"align": "right"} if i in numbers else {"align": "left"} for i in range(len(rows[0]))]
        return self._add({"type": "table", "rows": cells, "column_settings": settings})

    def finished(self) -> tuple[str, list[Block]]:
        """(fallback text, blocks), once the message as a whole is within the limits."""
        if not self.text:
            raise MessageLimitError("a message needs a fallback text")
        self._count("blocks", len(self.blocks), MOST_BLOCKS)
        self._count("characters", self._length, LONGEST_MESSAGE)
        if sum(block["type"] == "table" for block in self.blocks) > 1:
            raise MessageLimitError("a message takes one table")
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
