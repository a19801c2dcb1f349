"""Processes that are there to be killed in mid-work: forks of one that has imported everything already."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox import Sandbox

# Starting Python takes longer than most work: each child is a fork.
_LOOP = """
import os
while line := os.read(0, 1000).decode().strip():
    pid = os.fork()
    if not pid:
        os.read(0, 1)
        work(*line.split())
        os._exit(0)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class Nursery:
    """Starts one child after the other, each a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def prepare(self, *words: str) -> int:
        """The process id of a child that waits for `start`, and then does its work with some words."""
        self._write(" ".join(words))
        return int(self._line())

    def start(self) -> None:
        self._write("g")

    def ended(self) -> int:
        """How it ended: 0, or the signal, negative."""
        return int(self._line())

    def _write(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the parent of the children is gone"
        return line


class Mortal:
    """One process: started, killed, started again; its program says that it has begun by touching a file."""

    def __init__(self, starting: Nursery, begun: Path, *words: str) -> None:
        self._starting, self._begun, self._words = starting, begun, words
        self.pid: int | None = None

    def start(self) -> None:
        assert self.pid is None
        self._begun.unlink(missing_ok=True)
        self.pid = self._starting.prepare(str(self._begun), *self._words)
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
        return self.pid is not None

    def _end(self, number: signal.Signals) -> int:
        assert self.pid is not None
        os.kill(self.pid, number)
        self.pid = None
        return self._starting.ended()


@contextmanager
def nursery(program: str, *arguments: str) -> Iterator[Nursery]:
    """Children of a program that defines `work(*words)`; its arguments are in `sys.argv[1:]`."""
    command = [sys.executable, "-c", program + _LOOP, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Nursery(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(10)


def kill_after(sandbox: Sandbox, pid: int, arrivals: int, *, answered: bool) -> Callable[[], None]:
    """Kill a process when so many of its messages have arrived: before the answer, or at the next one.

    The workspace tells its watchers of a message before it answers, in the thread that answers.
    """
    left = arrivals + answered

    def arrived(_channel: str) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(pid, signal.SIGKILL)

    return sandbox.workspace.watch(arrived)
