"""Threads take turns in the order in which they came."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
import sqlalchemy as sa

from store.turns import Turns

PATIENCE = 60


def test_who_came_first_is_first() -> None:
    """A turn is handed to whoever has waited longest; who just had one stands behind all of them."""
    turns, served = Turns(1, patience=PATIENCE), list[str]()

    def write(name: str) -> None:
        with turns.one():
            served.append(name)

    with ThreadPoolExecutor(5) as pool:
        with turns.one():
            for number in range(5):
                pool.submit(write, str(number))
                while turns.waiting <= number:
                    threading.Event().wait(0.001)
        with turns.one():
            served.append("again")
    assert served == [*"01234", "again"]


def test_never_more_at_once() -> None:
    """Three of eight are in, the others wait; each has had a turn in the end."""
    turns, guard = Turns(3, patience=PATIENCE), threading.Lock()
    inside, most, done = 0, 0, 0

    def work() -> None:
        nonlocal inside, most, done
        with turns.one():
            with guard:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.001)
            with guard:
                inside -= 1
                done += 1

    with ThreadPoolExecutor(8) as pool:
        wait([pool.submit(work) for _ in range(80)])
    assert (most, done, turns.waiting) == (3, 80, 0)


def test_who_waits_in_vain_is_told_and_takes_no_turn() -> None:
    """As a pool's error, which every edge knows; the turn goes on to whoever comes next."""
    turns = Turns(1, patience=0.01)
    with turns.one(), pytest.raises(sa.exc.TimeoutError, match=r"within 0\.01 seconds"), turns.one():
        pass
    assert turns.waiting == 0
    with turns.one():
        pass


def test_a_turn_ends_with_an_error() -> None:
    """A transaction that fails holds nobody up."""
    turns = Turns(1, patience=PATIENCE)
    with pytest.raises(RuntimeError), turns.one():
        raise RuntimeError
    with turns.one():
        pass
