"""From when an adopted review holds, and until when it can be appealed against."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.period import Month, is_working_day
from policy.reviews.dates import business_day_after, effect_month, last_appeal_day

DAYS = st.dates(date(2026, 1, 1), date(2029, 12, 31))


@pytest.mark.parametrize(
    ("noticed_on", "holidays", "expected"),
    [
        (date(2027, 1, 4), (), Month(2027, 2)),
        # The tenth working day after it is Monday 1 February itself; a day later it is too late for February.
        (date(2027, 1, 18), (), Month(2027, 2)),
        (date(2027, 1, 19), (), Month(2027, 3)),
        # Of a weekend the tenth working day is the same as of the Friday before it.
        (date(2027, 1, 17), (), Month(2027, 2)),
        (date(2027, 1, 18), (date(2027, 1, 20),), Month(2027, 3)),
        (date(2026, 12, 21), (), Month(2027, 2)),
    ],
)
def test_effect_is_on_the_first_of_a_month(noticed_on: date, holidays: tuple[date, ...], expected: Month) -> None:
    """The first month that begins ten working days after people were told, weekends and holidays left out."""
    assert effect_month(noticed_on, holidays) == expected


@given(DAYS, st.integers(1, 30), st.sets(DAYS, max_size=20))
def test_notice_is_long_enough_and_not_a_month_too_long(noticed_on: date, days: int, off: set[date]) -> None:
    """Between the notice and the effect are so many working days, and the month before would leave too few."""
    holidays = tuple(off)
    month = effect_month(noticed_on, holidays, notice_days=days)

    def working(until: date) -> int:
        return sum(
            is_working_day(noticed_on + timedelta(days=i), holidays) for i in range(1, (until - noticed_on).days + 1)
        )

    assert working(month.first_day) >= days
    assert working(month.previous().first_day) < days


def test_the_time_to_appeal_ends_on_a_working_day() -> None:
    """Fifteen working days after Friday 15 January, one of them a holiday, is Monday 8 February."""
    assert last_appeal_day(date(2027, 1, 15), (date(2027, 1, 20),), appeal_days=15) == date(2027, 2, 8)
    assert business_day_after(date(2027, 1, 15), 1, ()) == date(2027, 1, 18)
