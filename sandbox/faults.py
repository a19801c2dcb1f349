"""Failures on demand: what a test wants the next calls of a Web API method to suffer."""

import threading
from collections import deque
from dataclasses import dataclass

PAGE = "<!DOCTYPE html><title>Network sign-in</title><p>Please sign in, or ask your administrator."
"""What a proxy, a firewall or a hotel's network answers in the platform's place."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A status (500, 429 …), an error code in a 200 answer, a delay, or a mixture.

    `body` is sent as it stands in place of the answer: a `PAGE`, `{}`, `null`, `[]` or nothing. With status 302 the
    answer sends the client elsewhere, where such a page is. `performed` makes the platform do what was asked and only
    then answer wrongly: the crash in mid-send.
    """

    status: int = 200
    error: str = ""
    retry_after: int = 0
    delay: float = 0.0
    performed: bool = False
    body: str | None = None
    content_type: str = "text/html; charset=utf-8"

    @property
    def spoils_answer(self) -> bool:
        return self.status != 200 or bool(self.error) or self.body is not None  # noqa: PLR2004 - HTTP's word for success


class Faults:
    """Queues of faults by method; each call takes one. The bytes of a file arrive at the method `upload`."""

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
        body: str | None = None,
        content_type: str = Fault.content_type,
    ) -> None:
        """Let the next `times` calls of `method` fail; the arguments are those of `Fault`."""
        fault = Fault(
            status=status,
            error=error,
            retry_after=retry_after,
            delay=delay,
            performed=performed,
            body=body,
            content_type=content_type,
        )
        with self._lock:
            self._queues.setdefault(method, deque()).extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        with self._lock:
            queue = self._queues.get(method)
            return queue.popleft() if queue else None

    def clear(self) -> None:
        with self._lock:
            self._queues.clear()
