"""The line between a bot and a workspace, which can be cut: refused, reset, or dead before the answer is through."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from typing import Any

HOST = "127.0.0.1"
RESET = struct.pack("ii", 1, 0)
"""For `SO_LINGER`: closing says that the connection is broken, not that it is over."""
A_CHUNK = 65_536


class State(Enum):
    """What becomes of a new connection. `REFUSED` breaks those that are there as well."""

    WHOLE = "whole"
    REFUSED = "refused"
    RESET = "reset"
    UNANSWERED = "unanswered"
    """What is asked arrives, and the connection breaks before a word of the answer is through."""


class Line:
    """A relay of TCP connections from `port` to `target`, in a thread of its own."""

    def __init__(self) -> None:
        self._state = State.WHOLE
        self._loop = asyncio.new_event_loop()
        self._accepting: asyncio.Task[None] | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="line", daemon=True)
        self._thread.start()
        with socket.create_server((HOST, 0)) as one, socket.create_server((HOST, 0)) as other:
            self.port, self.target = one.getsockname()[1], other.getsockname()[1]
        self._run(self._listen())

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def become(self, state: State) -> None:
        self._run(self._become(state))

    def end(self) -> None:
        """End every connection as it is done, without a word from either side."""
        self._run(self._end())

    async def _end(self) -> None:
        for writer in list(self._open):
            writer.close()

    def close(self) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self, doing: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(doing, self._loop).result(10)

    async def _become(self, state: State) -> None:
        self._state = state
        if state is State.REFUSED:
            await self._stop()
        elif self._accepting is None:
            await self._listen()

    async def _listen(self) -> None:
        listener = socket.create_server((HOST, self.port), backlog=100)
        listener.settimeout(0)
        self._accepting = asyncio.create_task(self._accept(listener))

    async def _accept(self, listener: socket.socket) -> None:
        """Not asyncio's server: it loses a connection that comes just while it is closed."""
        with listener:
            while True:
                connection, _ = await self._loop.sock_accept(listener)
                task = asyncio.create_task(self._relay(connection))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _stop(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
            self._accepting = None
        for writer in list(self._open):
            _break(writer)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _relay(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        self._open.add(writer)
        try:
            if self._state not in {State.RESET, State.REFUSED}:
                await self._join(reader, writer, answers=self._state is not State.UNANSWERED)
        except OSError:
            pass
        finally:
            _break(writer)
            self._open.discard(writer)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        there_reader, there_writer = await asyncio.open_connection(HOST, self.target)
        asking = asyncio.create_task(_pour(reader, there_writer))
        try:
            if answers:
                await _pour(there_reader, writer)
            else:
                await there_reader.read(1)
                _break(writer)
        finally:
            asking.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await asking
            there_writer.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(A_CHUNK):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def _break(writer: asyncio.StreamWriter) -> None:
    plug = writer.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


@contextmanager
def line() -> Iterator[Line]:
    made = Line()
    try:
        yield made
    finally:
        made.close()
