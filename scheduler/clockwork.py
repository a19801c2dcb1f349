"""APScheduler, paced by the monotonic clock.

Its own interval trigger goes by the wall clock: put back by ten minutes, every job would rest for ten minutes; put
forward by ten years, it would list every second of them. Here a thread waits on the monotonic clock and asks for one
run when it is time; APScheduler has the threads, and lets no job run beside itself.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

if TYPE_CHECKING:
    from collections.abc import Callable

AT_ONCE, WHEN_ASKED = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
"""Past and future for every wall clock."""


class OnDemand(BaseTrigger):  # type: ignore[misc] # APScheduler ships no types
    """After each run the job waits until it is asked for."""

    def get_next_fire_time(self, _previous: datetime | None, _now: datetime) -> datetime:
        return WHEN_ASKED


class Clockwork:
    """Jobs that run every so many seconds, each never beside itself, and late rather than never."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._monotonic = monotonic
        self._seconds: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._stopping = threading.Event()
        self._pacer = threading.Thread(target=self._pace, name="pacer", daemon=True)

    @property
    def paces(self) -> dict[str, float]:
        """Seconds from one run to the next, by job."""
        return dict(self._seconds)

    def every(self, seconds: float, work: Callable[[], object], *, job: str, at_once: bool = False) -> None:
        """Run `work` every so many seconds once the clockwork is started; with `at_once` also when it starts."""
        self.scheduler.add_job(work, OnDemand(), id=job, next_run_time=AT_ONCE if at_once else WHEN_ASKED)
        self._seconds[job] = seconds

    def start(self) -> None:
        self.scheduler.start()
        self._due = {job: self._monotonic() + seconds for job, seconds in self._seconds.items()}
        self._pacer.start()

    def stop(self) -> None:
        """Let what is under way finish."""
        self._stopping.set()
        self._pacer.join()
        self.scheduler.shutdown(wait=True)

    def ask(self) -> float:
        """Ask for every job whose time has come; the seconds until the next one's."""
        now = self._monotonic()
        for job, due in self._due.items():
            if due <= now:
                # From now, not from when it was due: what was missed in between is made up for by one run.
                self._due[job] = now + self._seconds[job]
                self.scheduler.modify_job(job, next_run_time=AT_ONCE)
        return min(self._due.values()) - now

    def _pace(self) -> None:
        wait = 0.0
        while not self._stopping.wait(wait):
            wait = max(self.ask(), 0.0)
