"""The grants' pace: what a team's grants come to in a whole week, so that a whole week's spend may stand beside it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from policy.period import Month
from policy.units import MICRO_PER_TOKEN

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from policy.period import Week
    from store.people.teams import Grant


def a_week(
    grants: Mapping[tuple[str, Month], Grant], members: Collection[str], week: Week, least: int
) -> Decimal | None:
    """Nano-USD that members' grants come to in a week, each day at its month's; None where its first day has too few.

    A week may reach into a month whose grants are still to come. The days that have theirs then stand for all seven:
    adding those up alone would let the pace fall to a seventh on a month's last day, and rise again on the next. A week
    that begins before the first grants do has no pace: most of its spend had none beside it.
    """
    days = list(week.days())
    a_day = {month: _a_day(grants, members, month, least) for month in {Month.containing(day) for day in days}}
    told = [one for day in days if (one := a_day[Month.containing(day)]) is not None]
    if a_day[Month.containing(days[0])] is None:
        return None
    return sum(told, Decimal(0)) * len(days) / len(told)


def _a_day(
    grants: Mapping[tuple[str, Month], Grant], members: Collection[str], month: Month, least: int
) -> Decimal | None:
    """None in a month in which so few of the members have a grant that the sum would tell of them."""
    held = [grants[member, month] for member in members if (member, month) in grants]
    if len(held) < least:
        return None
    whole = sum((Decimal(one.amount) * one.per_token / MICRO_PER_TOKEN for one in held), Decimal(0))
    return whole / sum(1 for _ in month.days())
