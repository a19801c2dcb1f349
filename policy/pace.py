"""How long the tokens last if spending goes on as it did, and what lapses before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PACE_DAYS = 28
"""Four whole weeks, so that every weekday counts equally often."""

DAYS_OF_A_MONTH = 30

LEAST_DAYS_OBSERVED = 7
"""A pace is not taken from less than a week: two busy first days would promise ruin."""


def days_observed(first_day: date, today: date) -> int:
    """Of how many days a pace is the mean, where the first use of the last four weeks was on a day."""
    return min(max((today - first_day).days + 1, LEAST_DAYS_OBSERVED), PACE_DAYS)


@dataclass(frozen=True, slots=True)
class Outlook:
    """The last day with tokens left, and the micro-tokens that will have lapsed unused by then."""

    lasts_until: date
    lapsing: int


def outlook(lots: Sequence[tuple[int, date]], spent: int, days_observed: int, today: date) -> Outlook | None:
    """Burn lots, (remaining, first day without it) in burn order, at the mean daily pace; None without a pace.

    `spent` is what the last `days_observed` days took. A lot that ends before its turn is over lapses with what is left
    of it.
    """
    if spent <= 0 or days_observed <= 0 or not lots:
        return None
    # In whole numbers: time is counted in days × spent, amounts in micro-tokens × days_observed.
    elapsed = lapsing = 0
    for remaining, ends_on in lots:
        whole = remaining * days_observed
        used = min(whole, max((ends_on - today).days * spent - elapsed, 0))
        elapsed += used
        lapsing += whole - used
    return Outlook(today + timedelta(days=elapsed // spent), lapsing // days_observed)


MOST_GRANTS = 12
"""Farther than a year nobody can tell."""


def grants_to_settle(debt: int, grant: int, spent: int, days_observed: int, days_to_next: int) -> int | None:
    """How many monthly grants settle a debt if spending goes on as it did; None where a year of them does not.

    The nth grant settles it where n grants are at least the debt and what is spent until that grant comes:
    `days_to_next` days until the first, 30 more until each of the others. `spent` is what the last `days_observed`
    days took.
    """
    for n in range(1, MOST_GRANTS + 1):
        days = days_to_next + DAYS_OF_A_MONTH * (n - 1)
        if n * grant * days_observed >= debt * days_observed + spent * days:
            return n
    return None
