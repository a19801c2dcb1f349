"""Turns of threads: so many at once, and in the order in which they came."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterator


class Turns:
    """Neither SQLite nor a pool of connections has a queue: whoever comes at the right moment overtakes those who wait.

    Where many want to write, some would wait for half a minute while everybody else is served.
    """

    def __init__(self, at_once: int, *, patience: float) -> None:
        self._free, self._patience = at_once, patience
        self._guard = Lock()
        self._waiting: deque[Lock] = deque()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @contextmanager
    def one(self) -> Iterator[None]:
        """A turn for the block; a TimeoutError, as a pool's, where none comes in time."""
        self._come()
        try:
            yield
        finally:
            self._leave()

    def _come(self) -> None:
        with self._guard:
            if self._free:
                self._free -= 1
                return
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        came = False
        try:
            came = mine.acquire(timeout=self._patience)
        finally:
            if not came:
                self._step_back(mine)
        if not came:
            raise sa.exc.TimeoutError(f"no turn to write to the database came within {self._patience:g} seconds")

    def _step_back(self, mine: Lock) -> None:
        """Also where a signal ends the waiting: a turn that is handed over to nobody would be lost."""
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return
        self._leave()

    def _leave(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
