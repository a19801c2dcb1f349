"""The warning that a share of a month's tokens is spent, from the view that the outbox keeps."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from policy.value.valuation import worth
from templates import render
from views import codec
from views.warnings import SpendWarning

if TYPE_CHECKING:
    from templates.charts import Picture
    from templates.render import Message


def compose(view: object) -> tuple[Message, Picture | None]:
    """What a person is told, at the value of the moment."""
    warned = codec.read(SpendWarning, view)
    at_value = partial(worth, per_token=warned.per_token)
    return render.message("warnings/warning", warned=warned, worth=at_value), None
