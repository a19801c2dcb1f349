"""The dates of a review that is adopted: from when it holds, and until when someone can appeal."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from policy.period import Month, is_working_day

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTICE_DAYS = 10
"""Where a caller has no handbook at hand; `[reviews]` of the handbook holds otherwise."""


def business_day_after(day: date, count: int, holidays: Sequence[date]) -> date:
    """The `count`th working day after a day, which is not counted itself."""
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day, holidays)
    return day


def effect_month(noticed_on: date, holidays: Sequence[date], *, notice_days: int = NOTICE_DAYS) -> Month:
    """The first month that begins at least so many business days after people were told."""
    earliest = business_day_after(noticed_on, notice_days, holidays)
    month = Month.containing(earliest)
    return month if month.first_day == earliest else month.next()


def last_appeal_day(noticed_on: date, holidays: Sequence[date], *, appeal_days: int) -> date:
    """The last day on which someone who was told on a day can appeal."""
    return business_day_after(noticed_on, appeal_days, holidays)
