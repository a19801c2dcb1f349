"""Time as the tests tell it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""A Friday in the middle of a month and a quarter."""


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        """Go forward by so many days, hours, minutes or seconds."""
        self.now += timedelta(**by)
        return self.now


class RunningClock(Clock):
    """A clock that goes on by itself as well, for processes that wait a second."""

    def __init__(self, now: datetime = NOON) -> None:
        super().__init__(now)
        self._begun = time.monotonic()

    def __call__(self) -> datetime:
        return self.now + timedelta(seconds=time.monotonic() - self._begun)
