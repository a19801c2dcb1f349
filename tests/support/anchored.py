"""The audit log's hash, as the board's channel is told it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scheduler.composers import audit
from views import codec
from views.audit import Anchor

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.render import Message

AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
HASH = "6f1c" * 16


def told(occasion: str, seq: int = 1_204, text: str = HASH) -> Message:
    message, picture = audit.compose_anchor(codec.plain(Anchor(seq, text, AT, occasion)))
    assert picture is None
    return message


CASES: dict[str, Callable[[], Message]] = {
    "anchor_of_a_month": lambda: told("month"),
    "anchor_of_an_export": lambda: told("export"),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {"anchor": lambda: told("month", seq=10**18)}
