"""Jobs keep their pace whatever is done to the wall clock."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from apscheduler.schedulers import base

from scheduler.clockwork import Clockwork

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo


class Wall(datetime):
    """The wall clock as APScheduler reads it, set wrong by `leap`."""

    leap = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + cls.leap


class Runs:
    """A job that counts."""

    def __init__(self) -> None:
        self.count = 0
        self._ran = threading.Condition()

    def __call__(self) -> None:
        with self._ran:
            self.count += 1
            self._ran.notify_all()

    def reach(self, count: int) -> bool:
        with self._ran:
            return self._ran.wait_for(lambda: self.count >= count, timeout=10)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """A job every hundredth of a second, on a wall clock that can be set."""
    monkeypatch.setattr(base, "datetime", Wall)
    monkeypatch.setattr(Wall, "leap", timedelta(0))
    job, clockwork = Runs(), Clockwork()
    clockwork.every(0.01, job, job="job")
    clockwork.start()
    yield job
    clockwork.stop()


@pytest.mark.parametrize("leap", [timedelta(minutes=-10), timedelta(days=-3_650), timedelta(days=3_650)])
def test_a_wall_clock_that_is_set_changes_no_pace(runs: Runs, monkeypatch: pytest.MonkeyPatch, leap: timedelta) -> None:
    """Put back, jobs do not rest until the old time comes again; put forward, nothing is listed second by second."""
    assert runs.reach(2)
    monkeypatch.setattr(Wall, "leap", leap)
    assert runs.reach(runs.count + 3)
    monkeypatch.setattr(Wall, "leap", timedelta(0))
    assert runs.reach(runs.count + 3)


class Hand:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_was_missed_is_made_up_for_by_one_run() -> None:
    """After an hour in which nothing ran a job is asked for once, and then at its pace."""
    hand, job = Hand(), Runs()
    clockwork = Clockwork(monotonic=hand)
    clockwork.every(30, job, job="job")
    clockwork.start()
    hand.now += 3_600
    assert clockwork.ask() == 30
    assert job.reach(1)
    hand.now += 29
    assert clockwork.ask() == 1
    clockwork.stop()
    assert job.count == 1


def test_a_job_runs_at_once_only_where_it_is_to() -> None:
    """The tick has something to make up for; a courier may wait for its second."""
    first, later = Runs(), Runs()
    clockwork = Clockwork()
    clockwork.every(3_600, later, job="later")
    clockwork.every(3_600, first, job="first", at_once=True)
    clockwork.start()
    assert first.reach(1)
    clockwork.stop()
    assert (first.count, later.count) == (1, 0)


def test_no_job_runs_beside_itself() -> None:
    """One that takes longer than its pace is not begun a second time meanwhile, and goes on afterwards."""
    beside, running, go, done = [], threading.Semaphore(0), threading.Event(), Runs()

    def slow() -> None:
        beside.append(1)
        running.release()
        go.wait(10)
        done()

    hand = Hand()
    clockwork = Clockwork(monotonic=hand)
    clockwork.every(1, slow, job="slow", at_once=True)
    clockwork.start()
    assert running.acquire(timeout=10)
    for _ in range(3):
        hand.now += 1
        clockwork.ask()
    go.set()
    assert done.reach(1)
    clockwork.stop()
    assert len(beside) <= 2
