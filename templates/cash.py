"""What the board is told and asked about a cash cap, from its views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from templates import render

if TYPE_CHECKING:
    from policy.units import NanoUSD
    from templates.blocks import Block
    from templates.render import Message
    from views.cash import CashCard, Question, Spend


def button_value(card: CashCard) -> str:
    return card.question.id


def share(spend: Spend) -> Message:
    """How much of a month's cash is used, before all of it is."""
    return render.message("cash/share", spend=spend)


def unasked(spend: Spend, needed: int) -> Message:
    """That a cap is reached, and the board is too small to be asked: so many would have to agree."""
    return render.message("cash/unasked", spend=spend, needed=needed)


def card(shown: CashCard, occasion: str = "") -> Message:
    """A question for those who decide it; the occasion may be to remind them, or to call the reader in."""
    return render.message("cash/card", card=shown, occasion=occasion, button_value=button_value(shown))


def voted(question: Question, choice: str, count: int, *, again: bool) -> Message:
    """What a vote came to, for who cast it."""
    return render.message("cash/voted", question=question, choice=choice, count=count, again=again)


def voted_view(question: Question, choice: str, count: int, *, again: bool) -> Block:
    return render.modal("cash/voted", question=question, choice=choice, count=count, again=again)


def raising(card: CashCard, initial: NanoUSD | None, private: str) -> Block:
    """The form in which someone votes for another limit."""
    text = "" if initial is None else f"{initial.decimal.normalize():f}"
    return render.modal("cash/raise", card=card, initial=text, private=private)
