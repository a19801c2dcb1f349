"""What a reversal gives back goes into debt, into the lots that were burnt, and the rest into a new one."""

from __future__ import annotations

from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import given

from policy.lots import Burnt, give_back
from tests.support.clock import NOON

BURNT = st.builds(
    Burnt,
    id=st.integers(1, 5),
    expires_at=st.sampled_from([NOON - timedelta(days=1), NOON, NOON + timedelta(days=1)]),
    most=st.integers(0, 100),
)


@given(amount=st.integers(1, 300), owed=st.integers(0, 200), burnt=st.lists(BURNT, max_size=6))
def test_nothing_is_lost_and_no_lot_gets_more_than_it_may(amount: int, owed: int, burnt: list[Burnt]) -> None:
    """Debt first; then each lot up to its own, in order; what has ended or finds no lot is fresh."""
    done = give_back(amount, owed, burnt, NOON)
    back = dict(done.movements)
    assert done.settled + sum(back.values()) + done.fresh == amount
    assert done.settled == min(amount, owed)
    for id_, given_back in back.items():
        assert 0 < given_back <= sum(lot.most for lot in burnt if lot.id == id_ and lot.expires_at > NOON)
    if done.left:
        assert sum(back.values()) + done.ended == sum(lot.most for lot in burnt)


def test_the_last_that_burnt_gets_back_first() -> None:
    """The order is the caller's, and a lot that has ended takes its share out of what the others get."""
    ended = Burnt(1, NOON, 30)
    open_lots = [Burnt(2, NOON + timedelta(days=1), 20), Burnt(3, NOON + timedelta(days=1), 50)]
    done = give_back(80, 10, [open_lots[0], ended, open_lots[1]], NOON)
    assert (done.settled, done.movements, done.ended, done.left) == (10, ((2, 20), (3, 20)), 30, 0)
