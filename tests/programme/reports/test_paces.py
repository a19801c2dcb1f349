"""The grants' pace is that of a whole week, wherever in the months the week lies."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from policy.period import Month, Week
from policy.units import MICRO_PER_TOKEN
from programme.reports import paces
from store.people.teams import Grant

TEAM = ("ada", "ben", "kim", "lou", "max")
MONDAY = date(2026, 11, 30)
"""The last of November: six days of its week are December's."""


def granted(*months: Month, a_day: int = 3, people: tuple[str, ...] = TEAM) -> dict[tuple[str, Month], Grant]:
    """Grants of so many tokens a day, at a nano-USD each."""
    return {
        (who, month): Grant(who, str(month), a_day * MICRO_PER_TOKEN * sum(1 for _ in month.days()), 1)
        for who in people
        for month in months
    }


@given(st.integers(0, 900), st.booleans())
def test_the_pace_is_the_same_in_every_week_of_equal_days(weeks: int, posted: bool) -> None:  # noqa: FBT001 - drawn
    """Grants of so much a day come to seven days of it in any week, whether the next month's are posted or not."""
    week = Week.containing(date(2020, 1, 6) + timedelta(weeks=weeks))
    first, *_, last = week.days()
    months = {Month.containing(first), *([Month.containing(last)] if posted else [])}
    assert paces.a_week(granted(*months), TEAM, week, 5) == 7 * 3 * len(TEAM)


def test_a_week_of_two_months_has_the_days_of_both() -> None:
    """One day of November and six of December, each at the grants of its own month."""
    both = granted(Month(2026, 11)) | granted(Month(2026, 12), a_day=10)
    assert paces.a_week(both, TEAM, Week.containing(MONDAY), 5) == Decimal(5 * (1 * 3 + 6 * 10))


def test_a_months_first_grant_of_few_says_nothing() -> None:
    """While one newcomer alone has a grant of December, November's stand for the week; alone they are no pace."""
    early = granted(Month(2026, 12), people=("ada",))
    week = Week.containing(MONDAY)
    assert paces.a_week(granted(Month(2026, 11)) | early, TEAM, week, 5) == 7 * 3 * len(TEAM)
    assert paces.a_week(early, TEAM, week, 5) is None


def test_a_week_that_begins_before_the_grants_has_no_pace() -> None:
    """The first grants are December's: the week that has a day of November is not told as one of December."""
    first = granted(Month(2026, 12))
    assert paces.a_week(first, TEAM, Week.containing(MONDAY), 5) is None
    assert paces.a_week(first, TEAM, Week.containing(MONDAY).next(), 5) == 7 * 3 * len(TEAM)
