"""What a cost centre bears of a month, in words for its owner."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from policy.period import Month
from templates import render
from views.finance import EARLIER, NOT_APART, SHARED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.units import NanoUSD
    from templates.render import Message
    from views.finance import CentreMonth, OwnersMonth, Part

MOST_CENTRES = 8
"""In a message; sections beyond those are exported."""
MOST_PARTS = 6


class Told(NamedTuple):
    """A cost centre as the message tells it; `change` is None where there is nothing to compare it with."""

    centre: CentreMonth
    change: Decimal | None
    lists: Sequence[tuple[str, Sequence[Part], int]]
    """Of services and of projects: how many are not named comes last."""
    corrected: NanoUSD | None
    shared: NanoUSD | None


def statement(told: OwnersMonth) -> Message:
    """An owner's month."""
    month = Month.parse(told.month)
    centres = sorted(told.centres, key=lambda one: (one.hidden, -int(one.spent), one.key))
    return render.message(
        "finance/statement",
        centres=[_told(one) for one in centres[:MOST_CENTRES]],
        left_out=max(len(centres) - MOST_CENTRES, 0),
        month=month,
        before=month.previous(),
        contact=told.contact,
        least=told.least,
        not_apart=NOT_APART,
    )


def _told(centre: CentreMonth) -> Told:
    kinds = {part.key: part.spent for part in centre.kinds}
    parts = {"service": centre.services, "project": centre.projects}
    if all(part.key in {"", NOT_APART} for part in centre.projects):
        del parts["project"]
    lists = [(name, some[:MOST_PARTS], max(len(some) - MOST_PARTS, 0)) for name, some in parts.items()]
    return Told(centre, change(centre), lists, kinds.get(EARLIER), kinds.get(SHARED))


def change(centre: CentreMonth) -> Decimal | None:
    """The month over the one before, less one; None where there is none, or nothing to be a share of."""
    if not centre.before or centre.before < 0 or centre.spent < 0:
        return None
    return Decimal(int(centre.spent)) / int(centre.before) - 1
