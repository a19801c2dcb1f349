"""Fourteen months of a company: people come, go, rise and rest; the bot is down over a first; two replicas tick."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from programme.people import terms
from scheduler import courier, slack_delivery, tick
from scheduler.messages import Composed
from store.tables.grants import grants
from store.tables.outbox import outbox
from templates.render import Message
from tests.support import books, cast, rollout, slack
from tests.support.books import ADA, BEN, MARA

if TYPE_CHECKING:
    from collections.abc import Callable

    from programme.app import App
    from sandbox import Sandbox
    from store.engine import Database
    from tests.support.clock import Clock

BEGIN, END = date(2026, 12, 1), date(2028, 2, 1)
ZOE = "zoe@example.com"
OUTAGE = (date(2027, 4, 29), date(2027, 5, 4))
"""No one looks at the calendar in these days, over a first of a month."""
HEADING = "email,name,level,role_family,pay_band,time_zone,hired_on,wave,slack_user_id"
NEWS = {
    date(2027, 2, 8): f"{HEADING}\n{ZOE},Zoe Martin,mid,engineering,P2,Europe/Paris,2027-02-10,1,{slack.NEWCOMER}\n",
    date(2027, 6, 15): f"email,level,pay_band\n{BEN},mid,P2\n",
    date(2027, 9, 20): f"email,left_on\n{MARA},2027-10-10\n",
}


@pytest.mark.deep
def test_fourteen_months(app: App, database_url: str, clock: Clock) -> None:
    """Every month once for everyone who was there, every statement once, and every figure proved."""
    with slack.workspace(clock=clock, post_burst=100) as sandbox:
        live_through(app, database_url, clock, sandbox)
        everybody_has_each_month_once(app)
        every_statement_arrived_once(app, sandbox)
    levels = [rollout.factors(app, BEN, month)["level"] for month in ("2027-06", "2027-07")]
    assert levels == ["junior", "mid"]
    days = [rollout.factors(app, who, month)["days_active"] for who, month in ((ZOE, "2027-02"), (MARA, "2027-10"))]
    assert days == [19, 10]
    assert books.wallet(app, MARA) == 0
    assert books.findings(app) == {}


def live_through(app: App, database_url: str, clock: Clock, sandbox: Sandbox) -> None:
    rollout.launch(app)
    client = slack_delivery.client(sandbox.workspace.app.bot_token, sandbox.api_url)
    for i in range((END - BEGIN).days + 1):
        day = BEGIN + timedelta(days=i)
        clock.now = datetime.combine(day, time(0, 30), tzinfo=UTC)
        if day in NEWS:
            cast.hire(app, NEWS[day])
        if day == date(2027, 10, 25):
            with app.transaction(clock.now) as moment:
                terms.set_leave(moment, ADA, day, date(2027, 12, 31), actor="test")
        if OUTAGE[0] <= day <= OUTAGE[1]:
            continue
        if day.day == 1:
            assert books.at_once(database_url, [replica(app), replica(app)]) == []
        else:
            rollout.run_calendar(app, clock.now, slack.GENERAL)
        # An hour at which it is a working day's noon from New York to Berlin; Tokyo's has been at midnight.
        for hour in (1, 15):
            clock.now = datetime.combine(day, time(hour), tzinfo=UTC)
            while courier.deliver(app, client, courier="courier", compose=note, most=50).sent:
                pass


def replica(app: App) -> Callable[[Database], None]:
    def work(database: Database) -> None:
        own = dataclasses.replace(app, database=database)
        assert tick.tick(own, now=app.clock(), announce_in=slack.GENERAL).failed == ()

    return work


def note(template: str, view: object) -> Composed:
    """Which message it is: what they say is tested with the templates."""
    del view
    return Composed(Message(template, []))


def everybody_has_each_month_once(app: App) -> None:
    months = [f"{2026 + (11 + i) // 12}-{(11 + i) % 12 + 1:02}" for i in range(15)]
    given = {month: rollout.granted(app, month).keys() for month in months}
    always = {"iris@example.com", "tess@example.com", BEN}
    for month, people in given.items():
        expected = set(always)
        expected |= {ZOE} if month >= "2027-02" else set()
        expected |= {MARA} if month <= "2027-10" else set()
        # Away from late October to the end of the year: October counts in part, November and December do not.
        expected |= {ADA} if month not in {"2027-11", "2027-12"} else set()
        assert people == expected, month
    assert books.count(app, grants) == sum(len(people) for people in given.values())


def every_statement_arrived_once(app: App, sandbox: Sandbox) -> None:
    """A greeting for everyone's first grant, a statement for each other, a digest a month, each in its place, once."""
    states = books.rows(app, sa.select(outbox.c.state, sa.func.count()).group_by(outbox.c.state))
    assert [state for state, _ in states] == ["sent"]
    keys = Counter(
        message.metadata["event_payload"]["key"]
        for user in (slack.ADA, slack.BEN, slack.MARA, slack.IRIS, slack.TESS, slack.NEWCOMER)
        for message in sandbox.messages(sandbox.dm(user), user)
        if message.metadata
    )
    assert set(keys.values()) == {1}
    greeted = sum(key.startswith("greeting:") for key in keys)
    assert greeted == len(books.rows(app, sa.select(grants.c.person_id).distinct()))
    assert greeted + sum(key.startswith("statement:") for key in keys) == books.count(app, grants)
    assert len(sandbox.messages(slack.GENERAL, slack.ADA)) == 15
