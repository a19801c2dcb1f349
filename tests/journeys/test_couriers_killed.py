"""A courier that is killed in mid-delivery, again and again, neither loses a message nor sends one twice."""

from __future__ import annotations

import json
import random
import signal
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from scheduler import courier
from store.outbox import messages as store
from store.tables.outbox import outbox
from tests.support import books, cast, slack
from tests.support.books import ADA
from tests.support.nursery import kill_after, nursery

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

PROGRAM = """
import sys
from datetime import datetime
from zoneinfo import ZoneInfo
from programme.app import App
from scheduler import courier, slack_delivery
from scheduler.messages import Composed
from store.engine import open_database
from templates.render import Message

url, token, api_url = sys.argv[1:]


def work(now):
    app = App(open_database(url), ZoneInfo("Europe/Berlin"), lambda: datetime.fromisoformat(now))
    slack, me = slack_delivery.client(token, api_url), courier.name()
    compose = lambda template, view: Composed(Message(view["text"], []))
    while courier.deliver(app, slack, courier=me, compose=compose, most=5).leased:
        pass
"""


def test_couriers_killed_double_and_lose_nothing(app: App, database_url: str, clock: Clock, kills: int) -> None:
    """Killed between Slack's taking a message and its record, again and again: in the end each is there once."""
    chance = random.Random(50)  # noqa: S311 - the same kills in every run
    me, messages = cast.person_id(app, ADA), 3 * kills
    letters = [
        store.NewMessage(f"note:{n}", "note", json.dumps({"text": str(n)}), me, None, clock.now)
        for n in range(messages)
    ]
    with app.database.transaction() as session:
        store.owe(session, letters, now=clock.now)
    with ExitStack() as stack:
        sandbox = stack.enter_context(slack.workspace(clock=clock, post_burst=10_000))
        to_slack = (sandbox.workspace.app.bot_token, sandbox.api_url)
        starting = stack.enter_context(nursery(PROGRAM, database_url, *to_slack))
        for _ in range(kills):
            pid = starting.prepare(clock.now.isoformat())
            stop_watching = kill_after(sandbox, pid, chance.randint(1, 3), answered=chance.random() < 0.5)
            starting.start()
            assert starting.ended() == -signal.SIGKILL
            stop_watching()
            # Until the lease of the dead has run out, no one touches its messages.
            clock.now += courier.LEASE + timedelta(seconds=1)
        uncertain = books.rows(app, sa.select(sa.func.count()).where(outbox.c.state == "leased"))
        assert uncertain != [(0,)]
        starting.prepare(clock.now.isoformat())
        starting.start()
        assert starting.ended() == 0
        arrived = sandbox.messages(sandbox.dm(slack.ADA), slack.ADA)
    assert sorted(int(message.text) for message in arrived) == list(range(messages))
    recorded = books.rows(app, sa.select(outbox.c.key, outbox.c.slack_ts).where(outbox.c.state == "sent"))
    assert {ts: f"note:{text}" for ts, text in ((m.ts, m.text) for m in arrived)} == {ts: key for key, ts in recorded}
