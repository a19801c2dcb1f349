"""A proposed handbook as the board and its proposer see it: the one rendering of each, for every place."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from templates import formats, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.changes import Difference
    from templates.blocks import Block
    from templates.render import Message
    from views.handbook import Card, Offered, Threshold

MOST_ROWS = 50
"""The most changes that a card lists; the command line lists the rest."""
LONGEST_KEY, LONGEST_VALUE = 60, 50


LOW_ENTER = "adjustment.use.low_enter"
HINTS = {
    LOW_ENTER: "A person who uses less of their grants than this, %s, counts as LOW.",
    "adjustment.use.low_leave": "A person stays LOW until their use in a quarter exceeds this.",
    "adjustment.use.high_enter": "A person who uses more of their grants than this in a quarter counts as HIGH.",
    "adjustment.use.high_leave": "A person stays HIGH until their use in a quarter falls below this.",
    "adjustment.change.per_score": "How much a grant is raised for each point of a score that is more than chance.",
    "adjustment.change.low": "How much is taken off for a quarter of LOW.",
    "adjustment.change.high": "How much is added for a quarter of HIGH, unless the score speaks against it.",
}
"""What each threshold does, in the words of its form."""


def card(shown: Card) -> Message:
    """A proposal for those who decide it."""
    left_out = max(len(shown.changes) - MOST_ROWS, 0)
    return render.message(
        "handbook/card", card=shown, rows=_table(shown.changes), left_out=left_out, button_value=button_value(shown)
    )


def mine(shown: Card) -> Message:
    """Where a proposal stands, for its proposer."""
    return render.message("handbook/mine", card=shown, button_value=button_value(shown))


def note(shown: Card) -> Message:
    """What became of a proposal, for its proposer."""
    return render.message("handbook/note", card=shown)


def thresholds(offered: Offered, named: Sequence[Threshold], *, private: str) -> Block:
    """The form in which a board proposes other thresholds for its reviews."""
    days = [(day.isoformat(), formats.day(day)) for day in offered.days]
    running = "in a quarter" if offered.low_quarters == 1 else f"in {offered.low_quarters} quarters in a row"
    hints = HINTS | {LOW_ENTER: HINTS[LOW_ENTER] % running}
    if offered.is_relative:
        hints |= {LOW_ENTER: f"{hints[LOW_ENTER][:-1]} if it is little beside their peers, too."}
    return render.modal(
        "reviews/thresholds", offered=offered, thresholds=named, days=days, hints=hints, private=private
    )


def thresholds_proposed(shown: Card, named: Sequence[Threshold]) -> Block:
    """What was proposed with that form, in its words."""
    names = {one.key: one.name for one in named}
    changed = [(names.get(one.key, one.key), one) for one in shown.changes]
    return render.modal("reviews/thresholds_proposed", card=shown, changed=changed, percent=_in_percent)


def _in_percent(share: str) -> str:
    """A share of the handbook as the form has it: `0.40` as `40 %`."""
    return formats.percent(Decimal(share)) if share else "not set"


def button_value(shown: Card) -> str:
    """What a button carries: which proposal, and with which version it was compared."""
    return f"{shown.proposal.id}:{shown.mark}"


def _table(changes: Sequence[Difference]) -> list[list[str]]:
    """The changes with their heading."""
    rows = [["Key", "Now", "Proposed"]]
    for one in changes[:MOST_ROWS]:
        values = (formats.short(text, LONGEST_VALUE) or "not set" for text in (one.old, one.new))
        rows.append([formats.short(one.key, LONGEST_KEY), *values])
    return rows
