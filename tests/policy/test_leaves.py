"""Leaves: what touches is one, and what pauses a grant moves the ends of lots."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import handbook, leaves, rollout
from policy.period import Month, first_instant
from policy.rollout import Participant

if TYPE_CHECKING:
    from policy.leaves import Leave

BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = date(2026, 10, 1)
DAYS = st.integers(0, 120).map(lambda n: BEGIN + timedelta(days=n))
LEAVES = st.lists(st.tuples(DAYS, st.one_of(st.none(), st.integers(0, 50))), max_size=6).map(
    lambda some: [(first, None if days is None else first + timedelta(days=days)) for first, days in some]
)


def away(some: list[Leave], day: date) -> bool:
    return any(first <= day and (last is None or day <= last) for first, last in some)


@pytest.mark.parametrize(
    ("some", "one"),
    [
        ([(date(2026, 10, 20), date(2026, 10, 31)), (date(2026, 11, 1), date(2026, 11, 25))], True),
        ([(date(2026, 11, 10), date(2026, 11, 25)), (date(2026, 10, 20), date(2026, 11, 15))], True),
        ([(date(2026, 10, 20), date(2026, 10, 31)), (date(2026, 11, 2), date(2026, 11, 25))], False),
    ],
    ids=["touching", "overlapping", "a day between"],
)
def test_leaves_that_touch_are_one(some: list[Leave], *, one: bool) -> None:
    """12 and 25 days in a row are 37, and pause the grant; with a day of work between them neither does."""
    assert (leaves.joined(some) == [(date(2026, 10, 20), date(2026, 11, 25))]) == one
    assert bool(leaves.paused(some, 30, join=True)) == one
    assert leaves.paused(some, 30, join=False) == []
    ada = Participant("staff", "engineering", 1, date(2020, 1, 1), None, tuple(some))
    november = Month(2026, 11)
    assert rollout.active_days(ada, november, 30, join=True) == (5 if one else 30)
    assert rollout.active_days(ada, november, 30) == 30
    assert rollout.is_there(ada, date(2026, 11, 2), date(2026, 11, 8), 30, join=True) != one


@given(LEAVES)
def test_joining_moves_no_day(some: list[Leave]) -> None:
    """Joined leaves are the same days, in order, with at least a day of work between any two of them."""
    one = leaves.joined(some)
    assert all(away(one, day) == away(some, day) for day in (BEGIN + timedelta(days=n) for n in range(200)))
    for (_, last), (first, _) in itertools.pairwise(one):
        assert last is not None
        assert first > last + timedelta(days=1)


def test_an_end_moves_by_a_paused_leave() -> None:
    """A grant of November ends on 1 February; 46 days away over the new year, and it ends on 19 March."""
    begin, end = (first_instant(day, BERLIN) for day in (date(2026, 11, 1), date(2027, 2, 1)))
    pause = [(date(2026, 12, 1), date(2027, 1, 15))]
    assert leaves.moved(begin, end, pause, BERLIN) == first_instant(date(2027, 3, 19), BERLIN)
    before = [(date(2026, 8, 1), date(2026, 10, 31))]
    after = [(date(2027, 2, 1), date(2027, 4, 1))]
    assert leaves.moved(begin, end, before, BERLIN) == leaves.moved(begin, end, after, BERLIN) == end
    # A lot of the twentieth of a leave that began on the first has lost nothing before.
    begin = datetime(2026, 12, 20, 15, tzinfo=UTC)
    assert leaves.moved(begin, end, pause, BERLIN) == first_instant(date(2027, 2, 28), BERLIN)
    # In summer time the day has another hour, and the end is still at midnight.
    june = [(date(2027, 1, 10), date(2027, 5, 9))]
    assert leaves.moved(begin, end, june, BERLIN) == first_instant(date(2027, 6, 1), BERLIN)


@given(LEAVES, st.integers(0, 60), st.integers(1, 120))
def test_a_lot_keeps_its_days(some: list[Leave], starts: int, lives: int) -> None:
    """However many pauses: the days until the moved end that are not paused are as many as the lot was granted."""
    first_day = BEGIN + timedelta(days=starts)
    begin, end = first_instant(first_day, BERLIN), first_instant(first_day + timedelta(days=lives), BERLIN)
    known = [(first, last) for first, last in leaves.paused(some, 30, join=True) if last is not None]
    later = leaves.moved(begin, end, known, BERLIN)
    days = (later.astimezone(BERLIN).date() - first_day).days
    counted = sum(not away([*known], first_day + timedelta(days=n)) for n in range(days))
    assert counted == lives
    assert later >= end


def test_a_handbook_of_before_looks_at_each_leave() -> None:
    """Without the key, leaves stand apart."""
    text = handbook.packaged()
    assert handbook.parse(text).sizing.join_leaves
    assert not handbook.parse(text.replace('leaves = "joined"\n', "")).sizing.join_leaves
