"""Several real bots on one database, each a process of its own that can be killed, with a wall clock of its own."""

from __future__ import annotations

import mmap
import os
import signal
import socket
import struct
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.nursery import nursery

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.nursery import Nursery

ROOT = Path(__file__).parents[2]
PROGRAM = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.support.replica import work
"""
_OFFSET = struct.Struct("d")


class WallClock:
    """A clock that goes on by itself, kept in a file so that processes can be shown another time while they work."""

    def __init__(self, path: Path, now: datetime | None = None) -> None:
        if now is not None:
            path.write_bytes(_OFFSET.pack(now.timestamp() - time.monotonic()))
        with path.open("r+b") as file:
            self._offset = mmap.mmap(file.fileno(), _OFFSET.size)
        self.path = path

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(_OFFSET.unpack(self._offset[:])[0] + time.monotonic(), UTC)

    def set(self, now: datetime) -> None:
        self._offset[:] = _OFFSET.pack(now.timestamp() - time.monotonic())

    def move(self, by: timedelta) -> None:
        self.set(self() + by)


class Replica:
    """One bot: started, killed, started again, always at the same address."""

    def __init__(self, starting: Nursery, clock: WallClock, port: int) -> None:
        self._starting, self.clock = starting, clock
        self._begun = clock.path.with_suffix(".begun")
        self.address = f"http://127.0.0.1:{port}"
        self._pid: int | None = None

    def start(self) -> None:
        assert self._pid is None
        self._begun.unlink(missing_ok=True)
        self._pid = self._starting.prepare(str(self._begun))
        self._starting.start()
        # One that is killed before it has read the word to start leaves it to the next.
        while not self._begun.exists():
            time.sleep(0.002)

    def kill(self) -> None:
        """End it as a machine does that loses its power."""
        assert self._end(signal.SIGKILL) == -signal.SIGKILL

    def stop(self) -> int:
        """Ask it to end; how it ended."""
        return self._end(signal.SIGTERM)

    @property
    def is_running(self) -> bool:
        return self._pid is not None

    def _end(self, number: signal.Signals) -> int:
        assert self._pid is not None
        os.kill(self._pid, number)
        self._pid = None
        return self._starting.ended()


@contextmanager
def replica(folder: Path, name: str, environ: Mapping[str, str], now: datetime) -> Iterator[Replica]:
    """A bot that is not started yet; what it logs is in `<folder>/<name>.log`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    clock = WallClock(folder / f"{name}.clock", now)
    settings = [f"{key}={value}" for key, value in {**environ, "TOKENS_HTTP_PORT": str(port)}.items()]
    with ExitStack() as stack:
        starting = stack.enter_context(
            nursery(PROGRAM, str(clock.path), str(folder / f"{name}.log"), *settings),
        )
        made = Replica(starting, clock, port)
        stack.callback(lambda: made.kill() if made.is_running else None)
        yield made
