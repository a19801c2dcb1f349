"""How much of a quarter's regular grants each person used, by the rules of a handbook."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from policy.sizing import FACTOR, NEUTRAL
from store.grants import monthly
from store.reviews import sources

if TYPE_CHECKING:
    from policy.parameters.reviews import UseRules
    from policy.period import Quarter
    from programme.moment import Moment


def of_quarter(moment: Moment, quarter: Quarter, rules: UseRules) -> dict[str, Decimal]:
    """By person id, of those who had grants; one pass over the quarter's grants, and one over its days of usage.

    Where everything counts, it is all that was used of days of the quarter, whatever paid for it, and at most 1.
    """
    figures = monthly.utilisation(moment.session, *quarter.bounds(moment.zone))
    if rules.counts == "grants":
        return {person_id: _ratio(burnt, granted) for person_id, (burnt, granted) in figures.items() if granted}
    spent = sources.debits(moment.session, quarter.first_day, quarter.next().first_day)
    return {
        person_id: min(_ratio(max(spent.get(person_id, 0), 0), granted), NEUTRAL)
        for person_id, (_, granted) in figures.items()
        if granted
    }


def _ratio(used: int, granted: int) -> Decimal:
    return (Decimal(used) / granted).quantize(FACTOR, ROUND_HALF_EVEN)
