"""A debit burns lots in a fixed order, invents nothing, loses nothing, and leaves the rest as debt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.lots import OpenLot, burn, burn_order, debt, settled_by
from tests.support import depth

if TYPE_CHECKING:
    from random import Random

on_any_machine = settings(max_examples=depth.examples(120), deadline=None, suppress_health_check=[HealthCheck.too_slow])

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def lot(number: int, *, priority: int = 1, expires_in: int = 30, remaining: int = 100) -> OpenLot:
    """A lot that expires in so many days from now; a later lot has a higher number."""
    return OpenLot(number, priority, NOW + timedelta(days=expires_in), remaining)


lots = st.lists(
    st.builds(
        lambda number, priority, expires_in, remaining: lot(
            number, priority=priority, expires_in=expires_in, remaining=remaining
        ),
        st.integers(1, 10**6),
        st.integers(1, 3),
        st.integers(-3, 3),
        st.integers(0, 1_000),
    ),
    max_size=8,
    unique_by=lambda one: one.id,
)
debits = st.integers(0, 5_000)


def test_lots_burn_by_priority_then_expiry_then_age() -> None:
    """A lower priority number goes first, then what expires sooner, then what is older."""
    ranked = [
        lot(9, priority=1, expires_in=60),
        lot(4, priority=2, expires_in=10),
        lot(1, priority=2, expires_in=20),
        lot(7, priority=2, expires_in=20),
        lot(2, priority=3, expires_in=5),
    ]
    assert burn_order(reversed(ranked)) == ranked


@on_any_machine
@given(lots, st.randoms(use_true_random=False))
def test_the_order_of_burning_is_the_same_for_everyone(some: list[OpenLot], random: Random) -> None:
    """However the lots are listed, they burn in one order, each of them once."""
    shuffled = list(some)
    random.shuffle(shuffled)
    assert burn_order(shuffled) == burn_order(some)
    assert sorted(burn_order(some)) == sorted(some)


def test_a_debit_runs_through_lots() -> None:
    """A debit empties each lot before it touches the next."""
    burnt = burn([lot(1, remaining=60), lot(2, remaining=60), lot(3, remaining=60)], 100, NOW)
    assert burnt.movements == ((1, 60), (2, 40))
    assert burnt.overdraft == 0


def test_what_no_lot_covers_is_overdraft() -> None:
    """Use is booked in full even where the lots do not reach."""
    burnt = burn([lot(1, remaining=60)], 100, NOW)
    assert (burnt.movements, burnt.overdraft) == (((1, 60),), 40)
    assert burn([], 100, NOW).overdraft == 100


@on_any_machine
@given(lots, debits)
def test_burning_conserves_the_amount(some: list[OpenLot], amount: int) -> None:
    """What the lots gave and what they could not give are the amount, to the micro-token."""
    burnt = burn(burn_order(some), amount, NOW)
    assert sum(taken for _, taken in burnt.movements) + burnt.overdraft == amount
    assert burnt.overdraft >= 0


@on_any_machine
@given(lots, debits)
def test_no_lot_gives_more_than_it_holds(some: list[OpenLot], amount: int) -> None:
    """Each lot is touched once at most, for something, and within what remains in it."""
    burnt = burn(burn_order(some), amount, NOW)
    remaining = {one.id: one.remaining for one in some}
    assert all(0 < taken <= remaining[number] for number, taken in burnt.movements)
    assert len({number for number, _ in burnt.movements}) == len(burnt.movements)


@on_any_machine
@given(lots, debits)
def test_lots_burn_in_their_order(some: list[OpenLot], amount: int) -> None:
    """A lot is touched only when every usable lot before it is empty, and debt begins when all of them are."""
    usable = [one for one in burn_order(some) if one.remaining and one.expires_at > NOW]
    burnt = burn(burn_order(some), amount, NOW)
    touched = [number for number, _ in burnt.movements]
    assert touched == [one.id for one in usable[: len(touched)]]
    emptied = burnt.movements if burnt.overdraft else burnt.movements[:-1]
    assert list(emptied) == [(one.id, one.remaining) for one in usable[: len(emptied)]]
    assert not burnt.overdraft or len(emptied) == len(usable)


@on_any_machine
@given(lots, debits, debits)
def test_two_debits_burn_as_one(some: list[OpenLot], first: int, second: int) -> None:
    """Splitting a debit in two takes the same from each lot, and leaves the same debt."""
    ordered = burn_order(some)
    earlier = burn(ordered, first, NOW)
    taken = dict(earlier.movements)
    left = [one._replace(remaining=one.remaining - taken.get(one.id, 0)) for one in ordered]
    later = burn(left, second, NOW)
    for number, more in later.movements:
        taken[number] = taken.get(number, 0) + more
    whole = burn(ordered, first + second, NOW)
    assert taken == dict(whole.movements)
    assert earlier.overdraft + later.overdraft == whole.overdraft


@pytest.mark.parametrize(
    ("before_expiry", "taken"),
    [(timedelta(microseconds=1), ((1, 100),)), (timedelta(0), ()), (timedelta(microseconds=-1), ())],
)
def test_a_lot_is_usable_until_it_expires(before_expiry: timedelta, taken: tuple[tuple[int, int], ...]) -> None:
    """At the instant of its expiry a lot is untouchable; what counts is when the use happened."""
    expiring = lot(1)
    assert burn([expiring], 100, expiring.expires_at - before_expiry).movements == taken


@on_any_machine
@given(lots, debits)
def test_expired_and_empty_lots_change_nothing(some: list[OpenLot], amount: int) -> None:
    """Without them the same debit burns the same."""
    ordered = burn_order(some)
    usable = [one for one in ordered if one.remaining and one.expires_at > NOW]
    assert burn(ordered, amount, NOW) == burn(usable, amount, NOW)


@on_any_machine
@given(lots, debits)
def test_debt_is_what_was_spent_beyond_all_lots(some: list[OpenLot], amount: int) -> None:
    """A wallet that held exactly its lots owes, after a debit, exactly the overdraft."""
    balance = sum(one.remaining for one in some)
    burnt = burn(burn_order(some), amount, NOW)
    taken = dict(burnt.movements)
    left = [one.remaining - taken.get(one.id, 0) for one in some]
    assert debt(balance - amount, left) == burnt.overdraft


@on_any_machine
@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_new_lot_settles_debt_first(amount: int, owed: int) -> None:
    """A lot pays what is owed or all it has, whichever is less; only then does anything remain to spend."""
    settled = settled_by(amount, owed)
    assert 0 <= settled <= min(amount, owed)
    assert not (amount - settled and owed - settled)
    assert debt(amount - owed, [amount - settled]) == owed - settled


@pytest.mark.parametrize(("amount", "owed", "settled"), [(100, 0, 0), (100, 30, 30), (100, 100, 100), (100, 250, 100)])
def test_settling_examples(amount: int, owed: int, settled: int) -> None:
    """No debt takes nothing, a small debt its part, a large debt the whole lot."""
    assert settled_by(amount, owed) == settled
