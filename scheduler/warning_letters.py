"""The warning that a share of a month's tokens is spent, from the view that the outbox keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.units import MICRO_PER_TOKEN, MicroTokens, NanoUSD, divide_half_even
from programme import letters
from programme.letters import Warned
from templates import render

if TYPE_CHECKING:
    from templates.charts import Picture
    from templates.render import Message


def compose(view: object) -> tuple[Message, Picture | None]:
    """What a person is told, at the value of the moment."""
    warned = letters.read(Warned, view)

    def worth(tokens: MicroTokens) -> NanoUSD:
        return NanoUSD(divide_half_even(int(tokens) * int(warned.per_token), MICRO_PER_TOKEN))

    return render.message("warnings/warning", warned=warned, worth=worth), None
