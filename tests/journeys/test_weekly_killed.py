"""Many managers are due at the same hour: the run is spread, goes on after each death, and no one reads it twice."""

from __future__ import annotations

import random
import signal
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from programme.reports import weekly
from sandbox import Sandbox, Workspace
from scheduler import courier
from store.tables.outbox import outbox, runs
from tests.support import books, rollout, slack, teams
from tests.support.nursery import kill_after, nursery

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

REPORTS = 5
PROGRAM = """
import sys
from datetime import datetime
from zoneinfo import ZoneInfo
import matplotlib.backends.backend_agg, matplotlib.figure  # before the forks: it takes a second
from programme.app import App
from scheduler import courier, slack_delivery, tick
from store.engine import open_database

url, token, api_url = sys.argv[1:]


def work(now):
    app = App(open_database(url), ZoneInfo("Europe/Berlin"), lambda: datetime.fromisoformat(now))
    slack, me = slack_delivery.client(token, api_url), courier.name()
    tick.tick(app, now=app.clock())
    while courier.deliver(app, slack, courier=me, most=4).leased:
        pass
"""


@pytest.fixture
def managers(kills: int) -> list[str]:
    """Twice as many as die: each death comes at a message or two."""
    return [f"lead{i:02}@example.com" for i in range(2 * kills)]


def hire(app: App, managers: list[str]) -> None:
    people = [f"w{i:03}@example.com" for i in range(len(managers) * REPORTS)]
    teams.hire(app, *(teams.person(lead, "") for lead in managers))
    teams.hire(app, *(teams.person(who, managers[i // REPORTS]) for i, who in enumerate(people)))
    teams.work(app, dict.fromkeys(people, 50), weeks=3)


def plan(managers: list[str]) -> dict[str, Any]:
    """The managers' workspace."""
    members = [{"id": f"U0LEAD{i:02}", "name": f"lead{i:02}", "email": lead} for i, lead in enumerate(managers)]
    mara = {"id": slack.MARA, "name": "mara", "email": teams.MARA}
    return slack.PLAN | {"members": [*members, mara], "channels": [], "user_groups": []}


def test_a_monday_with_deaths(app: App, database_url: str, clock: Clock, kills: int, managers: list[str]) -> None:
    """Calendars and couriers die in mid-work, again and again: each manager reads one report, with its picture."""
    rollout.launch(app)
    rollout.run_calendar(app, app.clock())
    hire(app, managers)
    clock.move(days=2, hours=20, minutes=30)  # Monday, half past nine in Berlin
    chance = random.Random(11)  # noqa: S311 - the same kills in every run
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(Workspace.from_dict(plan(managers)), clock=clock, post_burst=10_000))
        to_slack = (sandbox.workspace.app.bot_token, sandbox.api_url)
        starting = stack.enter_context(nursery(PROGRAM, database_url, *to_slack))
        for _ in range(kills):
            pid = starting.prepare(clock.now.isoformat())
            stop_watching = kill_after(sandbox, pid, chance.randint(1, 2), answered=chance.random() < 0.5)
            starting.start()
            assert starting.ended() == -signal.SIGKILL
            stop_watching()
            # Until the lease of the dead has run out, no one touches its messages.
            clock.now += courier.LEASE + timedelta(seconds=1)
        starting.prepare(clock.now.isoformat())
        starting.start()
        assert starting.ended() == 0
        for i in range(len(managers)):
            user = f"U0LEAD{i:02}"
            reports = [m for m in sandbox.messages(sandbox.dm(user), user) if "week" in m.text]
            [report] = reports
            assert "image" in {block["type"] for block in report.blocks}
    claimed = sa.select(runs.c.period).where(runs.c.job == "weekly").order_by(runs.c.period)
    assert books.rows(app, claimed)[-1] == ("2026-W48",)
    owed = sa.select(outbox.c.key, outbox.c.state).where(outbox.c.template == weekly.TEMPLATE)
    found = books.rows(app, owed)
    # Mara's team of two has nothing that may be told.
    assert len(found) == len(set(found)) == len(managers) + 1
    assert {state for _, state in found} == {"sent"}
