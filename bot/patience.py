"""How long a request may take to arrive: otherwise whoever sends a byte now and then holds a connection for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

WHOLE_WITHIN_SECONDS = 60.0
"""From the first byte to the last: 32 MiB, the largest body, at half a megabyte a second."""
_ARRIVING = (h11.IDLE, h11.SEND_BODY)


class Impatient(H11Protocol):
    """Hangs up on whoever has connected, or has begun a request, and does not come to its end.

    The server itself waits for ever for the rest of what has begun, and for the first byte.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the server has it
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state not in _ARRIVING:
            self._stop_waiting()
        elif self._deadline is None:
            self._wait()

    def on_response_complete(self) -> None:
        self._stop_waiting()
        super().on_response_complete()
        # What was answered before it had arrived, as a body that is too large, may go on arriving.
        if self.conn.their_state is h11.SEND_BODY:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(WHOLE_WITHIN_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
