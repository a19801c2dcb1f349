"""A courier that is killed in mid-delivery, fifty times, neither loses a message nor sends one twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from scheduler import courier
from store import outbox as store
from store.tables import outbox
from tests.support import books, cast, slack
from tests.support.books import ADA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from programme.desk import Desk
    from sandbox import Sandbox
    from tests.support.clock import Clock

KILLS = 50
MESSAGES = 150
PROGRAM = """
import os, sys
from datetime import datetime
from zoneinfo import ZoneInfo
from programme.desk import Desk
from scheduler import courier, slack_post
from scheduler.letters import Composed
from store.engine import open_database
from templates.render import Message

url, token, api_url = sys.argv[1:]


def deliver(now):
    desk = Desk(open_database(url), ZoneInfo("Europe/Berlin"), lambda: now)
    slack, me = slack_post.client(token, api_url), courier.name()
    compose = lambda template, view: Composed(Message(view["text"], []))
    while courier.deliver(desk, slack, courier=me, compose=compose, most=5).leased:
        pass


# Starting Python takes longer than delivering: each courier is a fork of a process that has imported everything.
while line := os.read(0, 100).decode().strip():
    pid = os.fork()
    if not pid:
        os.read(0, 1)
        deliver(datetime.fromisoformat(line))
        os._exit(0)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class Couriers:
    """Starts one courier after the other, each a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def prepare(self, now: datetime) -> int:
        """The process id of a courier that waits for `start`."""
        self._write(now.isoformat())
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
        assert line, "the couriers' process is gone"
        return line


@contextmanager
def couriers(sandbox: Sandbox, url: str) -> Iterator[Couriers]:
    arguments = [sys.executable, "-c", PROGRAM, url, sandbox.workspace.app.bot_token, sandbox.api_url]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Couriers(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(10)


def kill_after(sandbox: Sandbox, pid: int, arrivals: int, *, answered: bool) -> Callable[[], None]:
    """Kill a courier when so many of its messages have arrived: before the answer, or at the next one.

    The workspace tells its watchers of a message before it answers, in the thread that answers.
    """
    left = arrivals + answered

    def arrived(_channel: str) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(pid, signal.SIGKILL)

    return sandbox.workspace.watch(arrived)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    slack.without_proxies(monkeypatch)


def test_fifty_couriers_killed_double_and_lose_nothing(desk: Desk, database_url: str, clock: Clock) -> None:
    """Killed between Slack's taking a message and its record, again and again: in the end each is there once."""
    chance = random.Random(50)  # noqa: S311 - the same kills in every run
    me = cast.person_id(desk, ADA)
    letters = [
        store.NewLetter(f"note:{n}", "note", json.dumps({"text": str(n)}), me, None, clock.now) for n in range(MESSAGES)
    ]
    with desk.transaction() as session:
        store.owe(session, letters, now=clock.now)
    with slack.workspace(clock=clock, post_burst=10_000) as sandbox, couriers(sandbox, database_url) as starting:
        for _ in range(KILLS):
            pid = starting.prepare(clock.now)
            stop_watching = kill_after(sandbox, pid, chance.randint(1, 3), answered=chance.random() < 0.5)
            starting.start()
            assert starting.ended() == -signal.SIGKILL
            stop_watching()
            # Until the lease of the dead has run out, nobody touches its messages.
            clock.now += courier.LEASE + timedelta(seconds=1)
        uncertain = books.rows(desk, sa.select(sa.func.count()).where(outbox.c.state == "leased"))
        assert uncertain != [(0,)]
        starting.prepare(clock.now)
        starting.start()
        assert starting.ended() == 0
        arrived = sandbox.messages(sandbox.dm(slack.ADA), slack.ADA)
    assert sorted(int(message.text) for message in arrived) == list(range(MESSAGES))
    recorded = books.rows(desk, sa.select(outbox.c.key, outbox.c.slack_ts).where(outbox.c.state == "sent"))
    assert {ts: f"note:{text}" for ts, text in ((m.ts, m.text) for m in arrived)} == {ts: key for key, ts in recorded}
