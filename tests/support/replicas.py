"""Several real bots on one database, each a process of its own that can be killed, with a wall clock of its own."""

from __future__ import annotations

import mmap
import re
import socket
import struct
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.settings import PARTS
from tests.support.nursery import Mortal, nursery

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from bot.settings import Part
    from tests.support.nursery import Nursery

ROOT = Path(__file__).parents[2]
PROGRAM = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.support.replica import work
"""
_OFFSET = struct.Struct("d")
_OF_LIBRARIES = re.compile(" ERROR slack_(sdk|bolt)")
_UNANSWERED = tuple(f": {kind}" for kind in ("URLError", "ConnectionResetError", "RemoteDisconnected", "SlackApiError"))
"""How it is logged that Slack did not answer while a person's click was answered."""


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


class Replica(Mortal):
    """One bot, or some parts of it, always at the same address."""

    def __init__(self, starting: Nursery, clock: WallClock, port: int, parts: Collection[Part]) -> None:
        super().__init__(starting, clock.path.with_suffix(".begun"), *parts)
        self.clock, self.address = clock, f"http://127.0.0.1:{port}"


@contextmanager
def replica(
    folder: Path, name: str, environ: Mapping[str, str], now: datetime, parts: Collection[Part] = PARTS
) -> Iterator[Replica]:
    """A bot that is not started yet; what it logs is in `<folder>/<name>.log`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    clock = WallClock(folder / f"{name}.clock", now)
    settings = [f"{key}={value}" for key, value in {**environ, "TOKENS_HTTP_PORT": str(port)}.items()]
    with ExitStack() as stack:
        starting = stack.enter_context(
            nursery(PROGRAM, str(clock.path), str(folder / f"{name}.log"), *settings),
        )
        made = Replica(starting, clock, port, parts)
        stack.callback(lambda: made.kill() if made.is_running else None)
        yield made


def mistakes(folder: Path) -> list[str]:
    """What bots logged as a mistake of their own: not what the libraries say of Slack, nor who got no answer."""
    lines = [line for log in sorted(folder.glob("*.log")) for line in log.read_text().splitlines()]
    errors = [line for line in lines if " ERROR " in line and not _OF_LIBRARIES.search(line)]
    return [line for line in errors if not line.endswith(_UNANSWERED)]
