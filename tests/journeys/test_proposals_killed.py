"""A bot that is killed between a confirmation and its messages: the version holds once, and each message comes once."""

from __future__ import annotations

import random
import signal
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from scheduler import courier
from store.tables.handbook import handbooks
from store.tables.outbox import outbox
from tests.support import books, cast, proposed, slack
from tests.support.nursery import kill_after, nursery
from tests.support.proposed import ADMINS, propose, states, text
from tests.support.requests import TESS, convene
from tests.support.seen import keys_in

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

PROGRAM = """
import os, signal, sys
from datetime import datetime
from zoneinfo import ZoneInfo
from programme.app import App
from programme.handbook import cards, deciding
from scheduler import courier, slack_delivery
from store.engine import open_database
from store.people import directory

url, token, api_url, channel, member = sys.argv[1:]


def work(now, proposal_id, kill):
    at = datetime.fromisoformat(now)
    app = App(open_database(url), ZoneInfo("Europe/Berlin"), lambda: at, governance_channel=channel)
    if proposal_id != "-":
        with app.transaction() as moment:
            mark = cards.of(moment, proposal_id).mark
            by = directory.by_email(moment.session, member)
            deciding.confirm(moment, by, proposal_id, mark)
            if kill == "before":
                os.kill(os.getpid(), signal.SIGKILL)
    if kill == "committed":
        os.kill(os.getpid(), signal.SIGKILL)
    slack, me = slack_delivery.client(token, api_url), courier.name()
    while courier.deliver(app, slack, courier=me, most=5).leased:
        pass
"""


def test_kills_between_confirmation_and_delivery(app: App, database_url: str, clock: Clock, kills: int) -> None:
    """Killed before the commit, it is still open and nothing holds; after it, the version is there, told of once."""
    office, chance = convene(app), random.Random(8)  # noqa: S311 - the same kills in every run
    cast.hire(office, ADMINS)
    with ExitStack() as stack:
        sandbox = stack.enter_context(slack.workspace(clock=clock, post_burst=100_000))
        installed = sandbox.workspace.app
        children = stack.enter_context(
            nursery(PROGRAM, database_url, installed.bot_token, sandbox.api_url, slack.BOARD, TESS)
        )

        def run(proposal_id: str, kill: str, arrivals: int) -> int:
            pid = children.prepare(clock.now.isoformat(), proposal_id, kill)
            stop_watching = kill_after(sandbox, pid, arrivals or 1_000, answered=chance.random() < 0.5)
            children.start()
            ended = children.ended()
            stop_watching()
            # Until the lease of the dead has run out, nobody touches its messages.
            clock.now += courier.LEASE + timedelta(seconds=1)
            return ended

        made = []
        for number in range(kills):
            one = propose(office, text(f"2026.{number + 10}"))
            made.append(one)
            if not number % 3:
                assert run(one.id, "before", 0) == -signal.SIGKILL
                assert states(office)[one.version] == "open"
            arrivals = chance.randint(0, 3)
            run(one.id, "-" if arrivals else "committed", arrivals)
            assert states(office)[one.version] == "confirmed"
        assert run("-", "-", 0) == 0
        board, dm = keys_in(sandbox, slack.BOARD, slack.IRIS), keys_in(sandbox, sandbox.dm(slack.LENA), slack.LENA)
        cards = [m for m in sandbox.messages(slack.BOARD, slack.IRIS) if m.metadata]
    assert board == Counter(f"policy:{one.id}" for one in made)
    ours = Counter({key: count for key, count in dm.items() if key.startswith("policy")})
    assert ours == Counter(f"{kind}:{one.id}" for one in made for kind in ("policy_mine", "policy_note"))
    assert all("*Confirmed* by Tess Novak" in str(card.blocks) for card in cards)
    held = [version for (version,) in books.rows(office, sa.select(handbooks.c.version))]
    assert [held.count(one.version) for one in made] == [1] * kills
    about = sa.select(sa.func.count()).where(outbox.c.template.like("policy/%"), outbox.c.state != "sent")
    assert books.rows(office, about) == [(0,)]
    assert all(len(proposed.owed(office, one)) == 5 for one in made)
    assert books.findings(office) == {}
