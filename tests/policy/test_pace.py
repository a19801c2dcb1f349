"""How long tokens last at a steady pace, and what lapses meanwhile."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from policy.pace import Outlook, outlook

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
