"""When tokens run out if spending goes on as it did: a date that is never made up."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.pace import FURTHEST_DAYS, PACE_DAYS, run_out_on

on_any_machine = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TODAY = date(2026, 11, 23)
NEVER = date.max

holdings = st.integers(-(10**6), 10**12)
spendings = st.integers(0, 10**12)
observed = st.integers(0, PACE_DAYS)


def day_or_never(day: date | None) -> date:
    return day or NEVER


@pytest.mark.parametrize(
    ("available", "spent", "days_observed", "day"),
    [
        (1_000, 2_800, 28, date(2026, 12, 3)),
        (1_000, 1_000, 1, date(2026, 11, 24)),
        (999, 1_000, 1, TODAY),
        (2_999, 1_000, 1, date(2026, 11, 25)),
        (100, 700, 7, date(2026, 11, 24)),
        (366, 1, 1, date(2027, 11, 24)),
    ],
)
def test_run_out_examples(available: int, spent: int, days_observed: int, day: date) -> None:
    """What is available lasts as many days as the mean daily spend goes into it."""
    assert run_out_on(available, spent, days_observed, TODAY) == day


@pytest.mark.parametrize(("available", "spent", "days_observed"), [(0, 5, 28), (-7, 5, 28), (0, 0, 0), (-7, 0, 28)])
def test_what_is_gone_ran_out_today(available: int, spent: int, days_observed: int) -> None:
    """Nothing left, or debt, needs no pace."""
    assert run_out_on(available, spent, days_observed, TODAY) == TODAY


@pytest.mark.parametrize(("spent", "days_observed"), [(0, 28), (-3, 28), (5, 0)])
def test_without_spending_there_is_no_date(spent: int, days_observed: int) -> None:
    """No spend, a net refund, or no day observed yet: no date is better than an invented one."""
    assert run_out_on(1_000, spent, days_observed, TODAY) is None


def test_beyond_a_year_there_is_no_date() -> None:
    """The furthest date is a year away."""
    assert run_out_on(FURTHEST_DAYS, 1, 1, TODAY) == TODAY + timedelta(days=FURTHEST_DAYS)
    assert run_out_on(FURTHEST_DAYS + 1, 1, 1, TODAY) is None


@on_any_machine
@given(holdings, spendings, observed, st.dates(date(2020, 1, 1), date(2100, 1, 1)))
def test_the_date_is_within_a_year(available: int, spent: int, days_observed: int, today: date) -> None:
    """Whatever the figures, the date is today at the earliest and a year from today at the latest."""
    day = run_out_on(available, spent, days_observed, today)
    assert day is None or today <= day <= today + timedelta(days=FURTHEST_DAYS)


@on_any_machine
@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, PACE_DAYS))
def test_the_tokens_last_until_the_date(available: int, spent: int, days_observed: int) -> None:
    """At the observed pace the tokens cover every day before the date, and not the whole of it."""
    day = run_out_on(available, spent, days_observed, TODAY)
    if day is not None:
        days = (day - TODAY).days
        assert days * spent <= available * days_observed < (days + 1) * spent


@on_any_machine
@given(holdings, spendings, observed, st.integers(0, 10**12))
def test_more_tokens_last_longer(available: int, spent: int, days_observed: int, more: int) -> None:
    """A grant never brings the date closer."""
    before = day_or_never(run_out_on(available, spent, days_observed, TODAY))
    assert day_or_never(run_out_on(available + more, spent, days_observed, TODAY)) >= before


@on_any_machine
@given(holdings, spendings, observed, st.integers(0, 10**12))
def test_spending_more_runs_out_sooner(available: int, spent: int, days_observed: int, more: int) -> None:
    """A faster pace never puts the date off."""
    before = day_or_never(run_out_on(available, spent, days_observed, TODAY))
    assert day_or_never(run_out_on(available, spent + more, days_observed, TODAY)) <= before


@on_any_machine
@given(holdings, spendings, st.integers(1, PACE_DAYS), st.integers(1, 1_000))
def test_only_the_pace_matters(available: int, spent: int, days_observed: int, factor: int) -> None:
    """Twice the spend in twice the days is the same pace, and gives the same date."""
    once = run_out_on(available, spent, days_observed, TODAY)
    assert run_out_on(available, spent * factor, days_observed * factor, TODAY) == once
