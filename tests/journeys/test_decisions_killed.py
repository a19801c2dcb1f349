"""A bot that is killed between a decision and its messages, again and again: each is there once."""

from __future__ import annotations

import random
import signal
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.units import MicroTokens
from scheduler import courier
from store.tables.ledger import entries, lots
from store.tables.outbox import outbox
from tests.support import books, slack
from tests.support import requests as asking
from tests.support.books import BEN
from tests.support.nursery import kill_after, nursery
from tests.support.requests import TESS, convene
from tests.support.seen import keys_in

if TYPE_CHECKING:
    from programme.app import App
    from sandbox import Sandbox
    from tests.support.clock import Clock
    from tests.support.nursery import Nursery

PROGRAM = """
import os, signal, sys
from datetime import datetime
from zoneinfo import ZoneInfo
from programme.app import App
from programme.exceptions import voting
from programme.exceptions.voting import Ballot
from scheduler import courier, slack_delivery
from store.people import directory
from store.engine import open_database

url, token, api_url, channel, voter = sys.argv[1:]


def work(now, request_id, kill):
    at = datetime.fromisoformat(now)
    app = App(open_database(url), ZoneInfo("Europe/Berlin"), lambda: at, governance_channel=channel)
    if request_id != "-":
        with app.transaction() as moment:
            ballot = Ballot(approves=True)
            voting.vote(moment, directory.by_email(moment.session, voter), request_id, ballot)
    if kill == "committed":
        os.kill(os.getpid(), signal.SIGKILL)
    slack, me = slack_delivery.client(token, api_url), courier.name()
    while courier.deliver(app, slack, courier=me, most=5).leased:
        pass
"""


def test_kills_between_decision_and_delivery(app: App, database_url: str, clock: Clock, kills: int) -> None:
    """Whenever the bot dies after the commit, the tokens are there once, and the card and the messages come once."""
    office, chance = convene(app), random.Random(100)  # noqa: S311 - the same kills in every run
    before = books.wallet(office, BEN)
    with ExitStack() as stack:
        sandbox = stack.enter_context(slack.workspace(clock=clock, post_burst=100_000))
        installed = sandbox.workspace.app
        children = stack.enter_context(
            nursery(PROGRAM, database_url, installed.bot_token, sandbox.api_url, slack.BOARD, TESS)
        )
        made = []
        for number in range(kills):
            request = asking.ask(office, BEN, "1", key=f"killed-{number}", days=60)
            made.append(request)
            _decide_and_die(sandbox, children, clock, request.id, chance)
            # Until the lease of the dead has run out, no one touches its messages.
            clock.now += courier.LEASE + timedelta(seconds=1)
        children.prepare(clock.now.isoformat(), "-", "-")
        children.start()
        assert children.ended() == 0
        board, dm = keys_in(sandbox, slack.BOARD, slack.IRIS), keys_in(sandbox, sandbox.dm(slack.BEN), slack.BEN)
        cards = [m for m in sandbox.messages(slack.BOARD, slack.IRIS) if m.metadata]
    assert board == Counter(f"card:{request.id}:board" for request in made)
    ours = {key: count for key, count in dm.items() if key.startswith(("mine:", "note:"))}
    told = [f"{kind}{request.id}{rest}" for request in made for kind, rest in (("mine:", ""), ("note:", ":approved:"))]
    assert sorted(key.rpartition(":")[0] + ":" if key.startswith("note:") else key for key in ours) == sorted(told)
    assert set(ours.values()) == {1}
    assert all("*Approved.*" in str(card.blocks) for card in cards)
    assert books.wallet(office, BEN) == before + MicroTokens.parse(str(kills))
    exceptions = sa.select(sa.func.count()).where(entries.c.kind == "exception")
    assert books.rows(office, exceptions) == [(kills,)]
    assert books.rows(office, sa.select(sa.func.count()).where(lots.c.kind == "exception")) == [(kills,)]
    about = sa.select(sa.func.count()).where(outbox.c.template.like("exceptions/%"), outbox.c.state != "sent")
    assert books.rows(office, about) == [(0,)]
    assert books.findings(office) == {}


def _decide_and_die(sandbox: Sandbox, children: Nursery, clock: Clock, request_id: str, chance: random.Random) -> None:
    arrivals = chance.randint(0, 3)
    pid = children.prepare(clock.now.isoformat(), request_id, "-" if arrivals else "committed")
    stop_watching = kill_after(sandbox, pid, arrivals or 1_000, answered=chance.random() < 0.5)
    children.start()
    assert children.ended() in {-signal.SIGKILL, 0}
    stop_watching()
