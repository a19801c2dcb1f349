"""How the parts of this process are doing: noted by whoever does the work, read by health, metrics and the doctor.

Ages are of the monotonic clock: a wall clock that is put right makes no part look dead or alive.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

BOT, COURIER, TICK = "bot", "courier", "tick"
PATIENCE = {BOT: 60.0, COURIER: 60.0, TICK: 300.0}
"""Seconds without a success after which a part ails: some reconnects, passes or ticks in a row did not succeed."""


class Vital(NamedTuple):
    """One part: seconds since its last success, or since the start, and what it met last ("" after a success)."""

    part: str
    age: float
    problem: str
    failures: int
    owed_since: datetime | None
    succeeded: bool
    """Ever."""

    @property
    def is_well(self) -> bool:
        return self.age <= PATIENCE[self.part]


class Link(NamedTuple):
    """The connection that Slack speaks to us through; `envelope_age` is None before the first envelope."""

    connected: bool
    reconnects: int
    envelopes: int
    envelope_age: float | None


@dataclass(slots=True)
class _Part:
    last: float
    problem: str = ""
    failures: int = 0
    owed_since: datetime | None = None
    succeeded: bool = False


@dataclass(slots=True)
class Vitals:
    """Of one process; every method may be called from any thread."""

    monotonic: Callable[[], float] = time.monotonic
    _parts: dict[str, _Part] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _connected: Callable[[], bool] | None = None
    _hellos: int = 0
    _envelopes: int = 0
    _last_envelope: float | None = None
    is_stopping: bool = False
    """Whoever waits for something to happen is answered now: nothing will."""

    def expect(self, part: str) -> None:
        """A part has begun: from now on its successes are missed."""
        with self._lock:
            self._parts[part] = _Part(self.monotonic())

    def expect_link(self, connected: Callable[[], bool]) -> None:
        """Slack speaks to us through a connection: `connected` says whether it is up."""
        self.expect(BOT)
        self._connected = connected

    def well(self, part: str, *, owed_since: datetime | None = None) -> str:
        """A part succeeded; what it had met before, "" where that is no news. `owed_since` is how old its debt is."""
        with self._lock:
            kept = self._parts.setdefault(part, _Part(0.0))
            before, kept.problem = kept.problem, ""
            kept.last, kept.owed_since, kept.succeeded = self.monotonic(), owed_since, True
            return before

    def ailing(self, part: str, problem: str) -> bool:
        """A part did not succeed; whether that is news, or what it met the last time as well."""
        with self._lock:
            kept = self._parts.setdefault(part, _Part(self.monotonic()))
            before, kept.problem = kept.problem, problem
            kept.failures += 1
            return before != problem

    def hello(self) -> None:
        """Slack has greeted a new connection."""
        self.well(BOT)
        with self._lock:
            self._hellos += 1

    def envelope(self) -> None:
        """Slack has told us something."""
        with self._lock:
            self._envelopes += 1
            self._last_envelope = self.monotonic()

    def begin(self) -> None:
        """Requests are answered from now on."""
        self.is_stopping = False

    def stop(self) -> None:
        """Requests that came are answered, and then no more."""
        self.is_stopping = True

    def link(self) -> Link | None:
        """None where there is no such connection."""
        if self._connected is None:
            return None
        connected = self._connected()
        with self._lock:
            age = None if self._last_envelope is None else self.monotonic() - self._last_envelope
            return Link(connected, max(self._hellos - 1, 0), self._envelopes, age)

    def read(self) -> list[Vital]:
        """Every part that this process runs and that can fall silent."""
        if (link := self.link()) is not None and link.connected:
            self.well(BOT)
        now = self.monotonic()
        with self._lock:
            return [
                Vital(part, max(now - kept.last, 0.0), kept.problem, kept.failures, kept.owed_since, kept.succeeded)
                for part, kept in sorted(self._parts.items())
            ]
