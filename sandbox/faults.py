"""Failures on demand: what a test wants the next calls of a Web API method to suffer."""

import threading
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A status (500, 429 …), an error code in a 200 answer, a delay, or a mixture.

    `performed` makes the platform do what was asked and only then answer wrongly: the crash in mid-send.
    """

    status: int = 200
    error: str = ""
    retry_after: int = 0
    delay: float = 0.0
    performed: bool = False

    @property
    def spoils_answer(self) -> bool:
        return self.status != 200 or bool(self.error)  # noqa: PLR2004 - HTTP's word for success


class Faults:
    """Queues of faults by method; each call takes one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: dict[str, deque[Fault]] = {}

    def add(
        self,
        method: str,
        *,
        times: int = 1,
        status: int = 200,
        error: str = "",
        retry_after: int = 0,
        delay: float = 0.0,
        performed: bool = False,
    ) -> None:
        """Let the next `times` calls of `method` fail; the arguments are those of `Fault`."""
        fault = Fault(status=status, error=error, retry_after=retry_after, delay=delay, performed=performed)
        with self._lock:
            self._queues.setdefault(method, deque()).extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        with self._lock:
            queue = self._queues.get(method)
            return queue.popleft() if queue else None

    def clear(self) -> None:
        with self._lock:
            self._queues.clear()
