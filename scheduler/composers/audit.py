"""Where the audit log stood, for the board's channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from templates import render
from views import codec
from views.audit import Anchor

if TYPE_CHECKING:
    from templates.charts import Picture
    from templates.render import Message


def compose_anchor(view: object) -> tuple[Message, Picture | None]:
    """The hash as it was when it was owed: one from now would prove nothing of then."""
    return render.message("audit/anchor", anchor=codec.read(Anchor, view)), None
