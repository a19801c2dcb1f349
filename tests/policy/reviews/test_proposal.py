"""A review as a function of what was kept for it: its weeks, who is a case, what is proposed, what is counted."""

from __future__ import annotations

import dataclasses
import random
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import handbook, rollout
from policy.period import Quarter
from policy.reviews.proposal import Basis, ChangeCounts, Inputs, counted, proposed, weeks_of
from policy.rollout import Participant
from policy.sizing import Claim
from policy.units import NanoUSD

BOOK = handbook.parse(handbook.packaged())
WEEKS = weeks_of(Quarter(2026, 4))
LAUNCHED = dataclasses.replace(BOOK.rollout, launched_on=date(2027, 1, 1))
QUARTERS = st.builds(Quarter, st.integers(2020, 2060), st.integers(1, 4))


@given(QUARTERS)
def test_each_week_is_one_quarters_whole_and_over(quarter: Quarter) -> None:
    """A quarter's weeks follow one another and the last quarter's, and the last has ended when the quarter has."""
    mondays = weeks_of(quarter)
    assert 12 <= len(mondays) <= 14
    assert all(monday.weekday() == 0 for monday in mondays)
    assert [b - a for a, b in pairwise(mondays)] == [timedelta(days=7)] * (len(mondays) - 1)
    assert mondays[-1] + timedelta(days=7) <= quarter.next().first_day
    assert weeks_of(quarter.next())[0] == mondays[-1] + timedelta(days=7)


@pytest.mark.parametrize(
    ("launched_on", "first"),
    [(date(2027, 1, 1), Quarter(2027, 2)), (date(2027, 3, 1), Quarter(2027, 2)), (date(2027, 4, 1), Quarter(2027, 3))],
)
def test_the_first_review_looks_back_at_the_second_quarter(launched_on: date, first: Quarter) -> None:
    """Two quarters pass before history moves grants; the second of them is the first that is reviewed."""
    rules = dataclasses.replace(LAUNCHED, launched_on=launched_on)
    assert rollout.first_review(rules, 2) == first


def test_a_long_pilot_puts_the_first_review_off() -> None:
    """While only the pilot takes part nothing is adjusted; without a launch nothing ever is."""
    long = dataclasses.replace(LAUNCHED, phase_2_month=9, wave_months=(9,), phase_3_month=12)
    assert rollout.first_review(long, 2) == Quarter(2027, 3)
    assert rollout.first_review(dataclasses.replace(LAUNCHED, launched_on=None), 2) is None


def test_a_week_counts_for_who_was_there_all_of_it() -> None:
    """Before the first day, after the last and on a long leave no one is there; a short leave changes nothing."""
    monday, sunday = date(2026, 11, 2), date(2026, 11, 8)

    def there(hired: date, left: date | None = None, *leaves: tuple[date, date | None]) -> bool:
        return rollout.is_there(Participant("mid", "engineering", 1, hired, left, leaves), monday, sunday, 30)

    assert there(monday)
    assert not there(monday + timedelta(days=1))
    assert there(date(2020, 1, 1), sunday)
    assert not there(date(2020, 1, 1), sunday - timedelta(days=1))
    assert not there(date(2020, 1, 1), None, (sunday, None))
    assert not there(date(2020, 1, 1), None, (date(2026, 10, 1), monday))
    assert there(date(2020, 1, 1), None, (date(2026, 10, 30), sunday))
    assert there(date(2020, 1, 1), None, (date(2026, 9, 1), date(2026, 11, 1)))


def person(number: int, *, team: str = "t", used: str = "0.2", is_case: bool = True, part: int = 0) -> Inputs:
    person_id = f"per_{number}"
    claim = Claim(person_id, "mid", NanoUSD.parse("120000"), 1_000, 28, 28)
    return Inputs(
        person_id,
        part,
        is_case,
        "engineering",
        "mid",
        1_000,
        None,
        team,
        (),
        (1_000_000,) * len(WEEKS),
        (Decimal(used), Decimal(used)),
        "usual",
        (0, 0, 0),
        Decimal(1),
        None if part else claim,
    )


BASIS = Basis(
    "2026-Q4",
    WEEKS,
    "2027-02",
    "2026.1",
    "2026.1",
    "2027-Q1.1",
    10_000_000,
    100,
    False,  # noqa: FBT003 - fields
    NanoUSD.parse("6000"),
    True,  # noqa: FBT003 - fields
    {},
    {},
)


def test_who_is_no_case_shares_the_budget_alone() -> None:
    """A person without a case has no change of their own, and takes part in the budget that the others' cuts leave."""
    people = [person(1), person(2), person(3, is_case=False, used="0.9")]
    cases = proposed(BASIS, people, BOOK.adjustment, BOOK.sizing)
    assert [(case.person_id, case.delta_thousandths) for case in cases] == [("per_1", -100), ("per_2", -100)]
    assert all(case.factor_after == Decimal("0.9000") for case in cases)
    before = sum(int(case.grant_before or 0) for case in cases)
    alone = proposed(BASIS, people[:2], BOOK.adjustment, BOOK.sizing)
    assert sum(int(case.grant_after or 0) for case in cases) < before < sum(int(c.grant_before or 0) for c in alone)


def test_parts_of_a_person_are_no_cases_of_their_own() -> None:
    """Weeks in an earlier team count there; the person is decided about once."""
    people = [person(1), person(1, team="before", is_case=False, part=1), person(2)]
    assert [case.person_id for case in proposed(BASIS, people, BOOK.adjustment, BOOK.sizing)] == ["per_1", "per_2"]


def test_the_order_of_the_people_changes_nothing() -> None:
    """Cases come out the same however the inputs are ordered."""
    people = [person(i, team=f"t{i % 3}", used=f"0.{i % 10}") for i in range(30)]
    basis = dataclasses.replace(BASIS, budget=NanoUSD.parse("50000"))
    expected = proposed(basis, people, BOOK.adjustment, BOOK.sizing)
    shuffled = random.Random(7).sample(people, len(people))  # noqa: S311 - to repeat a failure
    assert proposed(basis, shuffled, BOOK.adjustment, BOOK.sizing) == expected


def test_changes_are_counted_by_their_sign() -> None:
    """Raises, cuts, and what stays."""
    assert counted([100, -5, 0, 0, Decimal("0.050")]) == ChangeCounts(2, 1, 2)
    assert counted([]) == ChangeCounts(0, 0, 0)
