"""Threads take turns in the order in which they came."""

from __future__ import annotations

import signal
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


def test_who_is_interrupted_while_waiting_loses_no_turn_for_others() -> None:
    """A signal ends the waiting of the main thread; the turn goes to whoever stands behind it."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    turns, before = Turns(1, patience=PATIENCE), signal.signal(signal.SIGALRM, interrupt)
    over = threading.Event()

    def hold() -> None:
        with turns.one():
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            over.wait(PATIENCE)

    holder = threading.Thread(target=hold)
    try:
        with pytest.raises(KeyboardInterrupt):
            _wait_behind(turns, holder)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert turns.waiting == 0
    over.set()
    holder.join()
    with turns.one():
        pass


def _wait_behind(turns: Turns, holder: threading.Thread) -> None:
    holder.start()
    while True:
        with turns.one():
            pass
