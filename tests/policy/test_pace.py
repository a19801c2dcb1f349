"""How long tokens last at a steady pace, and what lapses meanwhile."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from policy.pace import DAYS_OF_A_MONTH, MOST_GRANTS, Outlook, grants_to_settle, outlook

TODAY = date(2026, 11, 20)
on_any_machine = settings(deadline=None)

lots = st.lists(
    st.tuples(st.integers(1, 10**12), st.integers(1, 200).map(lambda n: TODAY + timedelta(days=n))),
    min_size=1,
    max_size=6,
).map(lambda some: sorted(some, key=lambda lot: lot[1]))


def in_days(days: int) -> date:
    return TODAY + timedelta(days=days)


def test_a_steady_pace_uses_a_lot_up_on_the_day_that_division_gives() -> None:
    """700 tokens at 280 in four weeks last 70 days."""
    assert outlook([(700, in_days(365))], 280, 28, TODAY) == Outlook(in_days(70), 0)


def test_what_cannot_be_used_before_its_end_lapses() -> None:
    """At 10 a day, 1,000 that end in 30 days leave 700 to lapse, and the tokens end with them."""
    assert outlook([(1_000, in_days(30))], 280, 28, TODAY) == Outlook(in_days(30), 700)


def test_a_later_lot_waits_for_the_earlier_one() -> None:
    """Two lots burn one after the other: 100 until day 10, then 100 more until day 20, at 10 a day."""
    assert outlook([(100, in_days(60)), (100, in_days(90))], 280, 28, TODAY) == Outlook(in_days(20), 0)


def test_without_a_pace_there_is_no_outlook() -> None:
    """Nothing spent, nothing observed or nothing to spend: nothing is said."""
    assert outlook([(100, in_days(5))], 0, 28, TODAY) is None
    assert outlook([(100, in_days(5))], 100, 0, TODAY) is None
    assert outlook([], 100, 28, TODAY) is None


@on_any_machine
@given(lots, st.integers(1, 10**12), st.integers(7, 28))
def test_the_tokens_never_last_beyond_the_last_lot(some: list[tuple[int, date]], spent: int, days: int) -> None:
    """No outlook promises tokens after the last lot has ended, or lets more lapse than there is."""
    found = outlook(some, spent, days, TODAY)
    assert found is not None
    assert TODAY <= found.lasts_until <= max(end for _, end in some)
    assert 0 <= found.lapsing <= sum(remaining for remaining, _ in some)


@on_any_machine
@given(lots, st.integers(1, 10**11), st.integers(7, 28))
def test_spending_more_lets_no_more_lapse(some: list[tuple[int, date]], spent: int, days: int) -> None:
    """A faster pace never lapses more, and never lasts longer."""
    slow, fast = outlook(some, spent, days, TODAY), outlook(some, 2 * spent, days, TODAY)
    assert slow is not None
    assert fast is not None
    assert fast.lapsing <= slow.lapsing


def test_a_debt_takes_as_many_grants_as_what_is_spent_meanwhile_leaves() -> None:
    """100 owed, 60 a month granted and 1 a day spent: 10 days on 110 are owed, then 80, then 50 are left after each."""
    assert grants_to_settle(100, 60, 28, 28, 10) == 3
    assert grants_to_settle(40, 60, 28, 28, 10) == 1
    assert grants_to_settle(100, 60, 0, 28, 10) == 2


def test_who_uses_more_than_the_grants_bring_never_settles_a_debt() -> None:
    """Nobody is told of a day that does not come."""
    assert grants_to_settle(100, 30, 28, 28, 1) is None
    assert grants_to_settle(1, 0, 0, 28, 1) is None


@given(
    debt=st.integers(1, 10**9),
    grant=st.integers(0, 10**9),
    spent=st.integers(0, 10**9),
    observed=st.integers(7, 28),
    wait=st.integers(1, 31),
)
def test_the_told_grant_is_the_first_that_settles(debt: int, grant: int, spent: int, observed: int, wait: int) -> None:
    """A walk from grant to grant comes to nothing owed exactly where it is told."""
    owed = Fraction(debt) + Fraction(spent, observed) * wait
    walked = None
    for n in range(1, MOST_GRANTS + 1):
        owed -= grant
        if owed <= 0:
            walked = n
            break
        owed += Fraction(spent, observed) * DAYS_OF_A_MONTH
    assert grants_to_settle(debt, grant, spent, observed, wait) == walked
