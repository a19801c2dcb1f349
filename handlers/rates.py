"""How often someone may ask: a bucket of requests for each key and each person, which fills again by and by.

Kept in the memory of each process: with several replicas the bounds are so many times as wide. They hold back a loop
that went wrong and whoever means harm, and are far above what a gateway or a person at work needs.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

MOST_KEPT = 10_000
"""So many buckets are kept before those that are full again are dropped."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`at_once` requests may come together; then so many a second."""

    at_once: int
    a_second: float


BY_KEY = Rate(at_once=2_000, a_second=200)
"""A request may hold 10,000 events; one event a request is still more than one process takes in for long."""
OF_CALLS = Rate(at_once=10_000, a_second=2_000)
"""Of a gateway that asks before each call and reports it after: more than one process answers."""
BY_PERSON = Rate(at_once=120, a_second=2)
"""What people type and click, with a preview for each pause in their typing."""


class Buckets:
    """What is left to each name; a clock that is set back costs no one anything."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._left: dict[str, tuple[float, datetime]] = {}
        self._lock = threading.Lock()

    def seconds_to_wait(self, name: str, now: datetime) -> int:
        """Take one from a name's bucket: 0 where there was one, else after how many seconds there is one again."""
        with self._lock:
            left = self._now(name, now)
            if left < 1:
                return ceil((1 - left) / self._rate.a_second)
            self._left[name] = (left - 1, now)
            if len(self._left) > MOST_KEPT:
                self._drop_full(now)
            return 0

    def _now(self, name: str, now: datetime) -> float:
        if name not in self._left:
            return self._rate.at_once
        left, then = self._left[name]
        passed = max((now - then).total_seconds(), 0)
        return min(left + passed * self._rate.a_second, self._rate.at_once)

    def _drop_full(self, now: datetime) -> None:
        self._left = {name: kept for name, kept in self._left.items() if self._now(name, now) < self._rate.at_once}
