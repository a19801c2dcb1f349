"""The lines and buttons of messages about reviews and appeals, from their views."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from templates import render

if TYPE_CHECKING:
    from collections.abc import Iterable

    from policy.reasons import Reason
    from templates.render import Message
    from templates.sheet import Block


class Changed(Protocol):
    """What becomes of a grant, and why; the templates say what else they need of it."""

    @property
    def delta_thousandths(self) -> int: ...
    @property
    def because(self) -> tuple[Reason, ...]: ...


class Notice(Changed, Protocol):
    """The same with what would have to be different."""

    @property
    def would_change(self) -> tuple[Reason, ...]: ...


class Card(Changed, Protocol):
    """The view of an appeal."""

    @property
    def id(self) -> str: ...


THOUSANDTHS = 1_000
TERMS = {"efficiency", "low", "high", "bounded"}
OUTCOME = "delta"
"""The reason that only says what the heading says already."""


def change(thousandths: int) -> str:
    """What becomes of a grant, with its sign: `+4.5 %`, `−10 %`."""
    percents = Decimal(thousandths) / (THOUSANDTHS // 100)
    return f"{'+' if percents > 0 else '−' if percents < 0 else ''}{abs(percents).normalize():f} %"


def lines(reasons: Iterable[Reason]) -> list[str]:
    """Reasons as lines; terms with what they add."""
    return [_line(reason) for reason in reasons if reason.code != OUTCOME]


def _line(reason: Reason) -> str:
    added = reason.figures.get("delta") if reason.code in TERMS else None
    if added is None:
        return reason.text
    return f"{reason.text}: {change(int(Decimal(added) * THOUSANDTHS)) if Decimal(added) else 'nothing'}"


def notice(changed: Notice) -> Message:
    """What a person is told about their own case."""
    return render.message(
        "reviews/review_notice", notice=changed, change=change(changed.delta_thousandths),
        because=lines(changed.because), would_change=lines(changed.would_change),
    )  # fmt: skip


def appeal_card(card: Card) -> Message:
    """An appeal for those who decide it."""
    return render.message(
        "reviews/appeal_card", card=card, change=change(card.delta_thousandths), because=lines(card.because),
        button_value=card.id,
    )  # fmt: skip


def appeal_mine(card: Card) -> Message:
    """Where an appeal stands, for the person."""
    return render.message("reviews/appeal_mine", card=card, change=change(card.delta_thousandths))


def appeal_note(card: Card) -> Message:
    """What became of an appeal, for the person."""
    return render.message("reviews/appeal_note", card=card)


def deciding(card: Card, *, upheld: bool, private: str) -> Block:
    """The form in which a member of the board decides."""
    return render.modal(
        "reviews/decide", card=card, change=change(card.delta_thousandths), upheld=upheld, private=private
    )


def appealing(quarter: str, thousandths: int) -> Block:
    """The form in which somebody appeals."""
    return render.modal("reviews/appeal", quarter=quarter, change=change(thousandths), private=quarter)
