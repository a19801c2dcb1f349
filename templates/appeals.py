"""The cards, notes and forms of appeals, from their views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from templates import render, reviews

if TYPE_CHECKING:
    from datetime import datetime

    from policy.period import Quarter
    from policy.weights import Annual
    from templates.blocks import Block
    from templates.render import Message
    from views.appeals import AnnualCard, Card


def card(shown: Card, occasion: str = "") -> Message:
    """An appeal for those who decide it; the occasion may be to `remind` them, or to `escalate` to the reader."""
    return render.message(
        "appeals/card",
        card=shown,
        change=reviews.change(shown.delta_thousandths),
        button_value=shown.id,
        occasion=occasion,
    )


def nobody(card: Card) -> Message:
    """An appeal that no one can decide, for those who can change that."""
    return render.message("appeals/nobody", card=card)


def mine(card: Card) -> Message:
    """Where an appeal stands, for the person."""
    return render.message("appeals/mine", card=card, change=reviews.change(card.delta_thousandths))


def note(card: Card) -> Message:
    """What became of an appeal, for the person."""
    return render.message("appeals/note", card=card)


def deciding(card: Card, *, upheld: bool, private: str) -> Block:
    """The form in which a member of the board decides."""
    return render.modal(
        "appeals/decide", card=card, change=reviews.change(card.delta_thousandths), upheld=upheld, private=private
    )


def appealing(quarter: Quarter, thousandths: int, decide_by: datetime, *, lapses: bool) -> Block:
    """The form in which someone appeals. One filed now is to be decided by then; else it lapses, or others do."""
    return render.modal(
        "appeals/file",
        quarter=quarter,
        change=reviews.change(thousandths),
        decide_by=decide_by,
        lapses=lapses,
        private=str(quarter),
    )


# --- Against the annual review ---------------------------------------------------------------------------------------


def annual_card(shown: AnnualCard, occasion: str = "") -> Message:
    """An appeal for those who decide it; the occasion may be to `remind` them."""
    return render.message("appeals/annual_card", card=shown, button_value=shown.id, occasion=occasion)


def annual_mine(card: AnnualCard) -> Message:
    """Where an appeal stands, for the person."""
    return render.message("appeals/annual_mine", card=card)


def annual_note(card: AnnualCard) -> Message:
    """What became of an appeal, for the person."""
    return render.message("appeals/annual_note", card=card)


def deciding_annual(card: AnnualCard, *, upheld: bool, private: str) -> Block:
    """The form in which a member of the board decides."""
    return render.modal("appeals/annual_decide", card=card, upheld=upheld, private=private)


def appealing_annual(annual: Annual, decide_by: datetime) -> Block:
    """The form in which someone appeals; one filed now is to be decided by then."""
    return render.modal("appeals/annual_file", annual=annual, decide_by=decide_by, private="")
