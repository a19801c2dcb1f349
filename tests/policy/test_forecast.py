"""How a month will end: tried on series whose end is known, and silent where nothing can be told."""

from __future__ import annotations

import itertools
import random
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy import forecast as policy
from policy.forecast import LEAST_DAYS, Ahead, forecast
from tests.support import depth

if TYPE_CHECKING:
    from collections.abc import Callable

    from policy.forecast import Forecast

TODAY, MONTH_ENDS = date(2026, 11, 13), date(2026, 12, 1)
BEGIN = TODAY - timedelta(days=70)


def ahead(days: dict[date, int], *, first_day: date = BEGIN, left: int = 10**9) -> Forecast | None:
    spent = sum(amount for day, amount in days.items() if date(2026, 11, 1) <= day <= TODAY)
    return forecast(days, today=TODAY, first_day=first_day, month_ends=MONTH_ENDS, spent=spent, left=left)


def working_days(amount: int, *, begin: date = BEGIN) -> dict[date, int]:
    days = (begin + timedelta(days=i) for i in range((TODAY - begin).days + 1))
    return {day: amount for day in days if day.weekday() < 5}


def test_an_even_week_goes_on() -> None:
    """A person who spends the same on every working day does so to the month's end: eleven of them are left."""
    found = ahead(working_days(100), left=550)
    assert found is not None
    assert found.spend == (2_100, 2_100, 2_100)
    # Half-way through the sixth working day.
    assert found.runs_out == (date(2026, 11, 23),) * 3


def test_tokens_that_outlast_the_horizon_have_no_end() -> None:
    """What lasts for longer than anybody should look ahead is not given a date."""
    found = ahead(working_days(100))
    assert found is not None
    assert found.runs_out == (None, None, None)


@pytest.mark.parametrize("days", [0, 5, LEAST_DAYS - 1])
def test_too_early_to_tell(days: int) -> None:
    """With less than two weeks nothing is told."""
    begin = TODAY - timedelta(days=days)
    assert ahead(working_days(100, begin=begin), first_day=begin) is None


def test_too_little_to_tell() -> None:
    """Nor from a few days on which anything was spent, however long ago the first was."""
    assert ahead({TODAY - timedelta(days=i * 9): 100 for i in range(4)}) is None
    assert ahead({}) is None


def test_the_course_leads_to_the_end() -> None:
    """Each day to come has its own interval of what the month will have cost, and the last one is the month's."""
    found = ahead(working_days(100))
    assert found is not None
    assert len(found.course) == 17
    assert [middle for _, middle, _ in found.course[:5]] == [1_000, 1_000, 1_100, 1_200, 1_300]
    assert found.course[-1] == found.spend


def test_the_last_day_has_no_course() -> None:
    """At the end of the month nothing is to come, and what was spent is what it cost."""
    found = forecast(working_days(100), today=TODAY, first_day=BEGIN, month_ends=date(2026, 11, 14), spent=7, left=9)
    assert found is not None
    assert (found.spend, found.course) == ((7, 7, 7), ())


@given(amounts=st.lists(st.integers(0, 10_000), min_size=70, max_size=70), left=st.integers(0, 500_000))
@settings(max_examples=depth.examples(25), deadline=None)
def test_the_interval_is_one(amounts: list[int], left: int) -> None:
    """Low, middle and high come in that order, and the same history has the same forecast."""
    days = {BEGIN + timedelta(days=i): amount for i, amount in enumerate(amounts)}
    found = ahead(days, left=left)
    assert found == ahead(days, left=left)
    if found is not None:
        low, middle, high = found.spend
        assert sum(a for d, a in days.items() if d >= date(2026, 11, 1)) <= low <= middle <= high
        dates = [day or date.max for day in found.runs_out]
        assert dates == sorted(dates)
        assert all(low <= middle <= high for low, middle, high in found.course)
        assert all(a <= b for a, b in itertools.pairwise(middle for _, middle, _ in found.course))


def steady(chance: random.Random, day: date) -> int:
    return round(chance.uniform(60, 140)) if day.weekday() < 5 else 0


def bursty(chance: random.Random, day: date) -> int:
    """Mostly nothing, now and then a training job, on any day."""
    _ = day
    return round(chance.uniform(800, 1_200)) if chance.random() < 0.15 else round(chance.uniform(0, 30))


def skewed(chance: random.Random, day: date) -> int:
    return round(chance.lognormvariate(4, 1)) if day.weekday() < 5 else round(chance.lognormvariate(2, 1))


@pytest.mark.parametrize("habit", [steady, bursty, skewed])
def test_four_months_of_five_end_within_the_interval(habit: Callable[[random.Random, date], int]) -> None:
    """Back-tested on 150 people of each habit: the interval holds about as often as it says."""
    chance, within = random.Random(habit.__name__), 0  # noqa: S311 - the same people in every run
    for _ in range(150):
        days = {BEGIN + timedelta(days=i): habit(chance, BEGIN + timedelta(days=i)) for i in range(71)}
        to_come = [TODAY + timedelta(days=i) for i in range(1, (MONTH_ENDS - TODAY).days)]
        found = ahead(days)
        assert found is not None
        end = sum(a for d, a in days.items() if d >= date(2026, 11, 1)) + sum(habit(chance, day) for day in to_come)
        within += found.spend[0] <= end <= found.spend[2]
    assert 0.72 <= within / 150 <= 0.95, within / 150


# --- Groups --------------------------------------------------------------------------------------------------------


def of_group(days: list[tuple[date, int]], *, today: date = TODAY) -> Ahead | None:
    monday = today - timedelta(days=today.weekday())
    return policy.ahead(
        days,
        today=today,
        weeks=4,
        month_ends=MONTH_ENDS,
        spent_this_week=sum(amount for day, amount in days if monday <= day),
        spent_this_month=sum(amount for day, amount in days if date(2026, 11, 1) <= day),
    )


def until_yesterday(days: dict[date, int]) -> list[tuple[date, int]]:
    every = [BEGIN + timedelta(days=i) for i in range((TODAY - BEGIN).days)]
    return [(day, days.get(day, 0)) for day in every]


def test_a_group_that_spends_evenly_goes_on() -> None:
    """Five working days in each week to come, this one included, and twenty-one in November."""
    assert of_group(until_yesterday(working_days(100))) == Ahead(((500, 500, 500),) * 4, (2_100, 2_100, 2_100))


def test_it_is_too_early_to_tell_of_a_group() -> None:
    """With less than two weeks, and with hardly any day of spending."""
    assert of_group(until_yesterday(working_days(100))[-LEAST_DAYS + 1 :]) is None
    assert of_group([(day, 0) for day, _ in until_yesterday({})]) is None


@given(st.lists(st.integers(0, 10_000), min_size=70, max_size=70), st.integers(0, 6))
@settings(max_examples=depth.examples(25), deadline=None)
def test_the_weeks_of_a_group_are_intervals(amounts: list[int], later: int) -> None:
    """Low, middle and high in that order, and this week and the month never below what they cost so far."""
    today = TODAY - timedelta(days=later)
    days = [(today - timedelta(days=70 - i), amount) for i, amount in enumerate(amounts)]
    found = of_group(days, today=today)
    assert found == of_group(days, today=today)
    if found is None:
        return
    monday = today - timedelta(days=today.weekday())
    assert found.weeks[0][0] >= sum(amount for day, amount in days if day >= monday)
    assert found.month[0] >= sum(amount for day, amount in days if day >= date(2026, 11, 1))
    assert all(low <= middle <= high for low, middle, high in (*found.weeks, found.month))
