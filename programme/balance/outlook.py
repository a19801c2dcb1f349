"""How a person's days were, and how their month goes on from there: for warnings, and for the burn-down on Home."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.forecast import HISTORY_DAYS, Forecast, forecast
from policy.period import first_instant
from store.balance import warnings as store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from policy.period import Month
    from programme.moment import Moment


@dataclass(frozen=True, slots=True)
class Past:
    """What each of the last eight weeks' days cost, today included, in micro-tokens; days without usage are left out.

    `first_day` is the first on which the person could spend, as far as it lies in those weeks.
    """

    days: Mapping[date, int]
    first_day: date


def past(moment: Moment, account_id: int, *, today: date) -> Past:
    """How a wallet was spent from."""
    begin = today - timedelta(days=HISTORY_DAYS)
    days = store.daily(moment.session, account_id, [begin + timedelta(days=i) for i in range(HISTORY_DAYS + 1)])
    if begin in days or store.spent_before(moment.session, account_id, first_instant(begin, moment.zone)):
        return Past(days, begin)
    return Past(days, min(days, default=today))


def ahead(of: Past, *, month: Month, today: date, spent: int, left: int) -> Forecast | None:
    """How the month goes on; None when it is too early to tell."""
    return forecast(
        of.days, today=today, first_day=of.first_day, month_ends=month.next().first_day, spent=spent, left=left
    )
