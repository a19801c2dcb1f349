"""One message a second a channel, with a little room for bursts."""

import math
import threading
from datetime import datetime, timedelta

from sandbox.model import Clock


class PostLimit:
    """A token bucket for each channel: `burst` at once, refilled by one in each `interval`."""

    def __init__(self, *, clock: Clock, burst: int = 3, interval: timedelta = timedelta(seconds=1)) -> None:
        self._clock = clock
        self._slack = interval * (burst - 1)
        self._interval = interval
        self._next: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def seconds_to_wait(self, channel: str) -> int:
        """0 and the post is counted; or the whole seconds after which to come back."""
        now = self._clock()
        with self._lock:
            due = max(self._next.get(channel, now), now)
            if due - now > self._slack:
                return max(1, math.ceil((due - now - self._slack).total_seconds()))
            self._next[channel] = due + self._interval
        return 0
