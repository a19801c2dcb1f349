"""Who pays for a use: the person's own wallet or, outside the programme, the company (docs/decisions/0029)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from policy.period import Month
from programme.people import participation
from store.ledger import ledger

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date

    from programme.moment import Moment

    Use = tuple[str, date]
    """A person and a day."""


def codes(moment: Moment, uses: Iterable[Use]) -> dict[Use, str]:
    """The code of the account that pays for each person's use of a day, by the handbook of the day's month.

    The company pays for what is nobody's but a project's.

    Takes one statement for each month, and none where no launch is set.
    """
    wanted = set(uses)
    people: defaultdict[Month, set[str]] = defaultdict(set)
    months = {day: Month.containing(day) for _, day in wanted}
    for person_id, day in wanted:
        if person_id:
            people[months[day]].add(person_id)
    outside = {month: participation.outside(moment, month, some) for month, some in people.items()}
    return {(person_id, day): _code(person_id, outside.get(months[day], ())) for person_id, day in wanted}


def _code(person_id: str, outside: Collection[str]) -> str:
    if not person_id:
        return ledger.THE_COMPANY
    return ledger.company_code(person_id) if person_id in outside else ledger.wallet_code(person_id)
