"""The monthly statement of cost centres, for their owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from programme.finance import statements
from templates import finance
from views import codec
from views.finance import OwnersMonth

if TYPE_CHECKING:
    from programme.app import App
    from templates.render import Message


def compose_statement(app: App, view: object) -> Message | None:
    """What an owner's cost centres bear; None where they own none of them any more."""
    with app.reading() as moment:
        told = statements.of_owner(moment, codec.read(OwnersMonth, view))
    return None if told is None else finance.statement(told)
