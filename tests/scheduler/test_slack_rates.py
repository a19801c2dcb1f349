"""Slack's rates, shared: however many couriers there are, no limit is passed, and each message arrives once."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from programme import notify
from scheduler import courier, slack_rates
from scheduler.slack_rates import APP, LOOKING_UP, TIER_3, UPDATING, UPLOADING, SlackRates
from store.outbox import slack_rates as store
from store.tables.outbox import outbox
from tests.support import books, slack
from tests.support.books import ADA, BEN, MARA
from tests.support.clock import NOON
from tests.support.couriers import dm, owe, row, say

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from slack_sdk import WebClient

    from programme.app import App
    from sandbox import Sandbox
    from tests.support.clock import Clock

BOARD_OF = ("iris@example.com", "omar@example.com")
MOST_SECONDS, A_SECOND, A_MINUTE = 120, timedelta(seconds=1), timedelta(minutes=1)


def announce(app: App, channel: str, count: int) -> None:
    """Owe a channel so many messages."""
    with app.transaction() as moment:
        book = moment.handbooks.versions[-1]
        for number in range(count):
            said = json.dumps({"text": f"News {number}"})
            key = f"news:{channel}:{number}"
            notify.to_channel(moment, key=key, template="note", view=said, channel=channel, book=book)


def seconds_of(clock: Clock) -> Callable[[], float]:
    """A monotonic clock that goes on with the tests' own."""

    def monotonic() -> float:
        return clock.now.timestamp()

    return monotonic


def most_within(times: list[datetime], span: timedelta) -> int:
    """The most of some instants in any stretch so long."""
    return max((sum(start <= at < start + span for at in times) for start in times), default=0)


def open_rows(app: App) -> int:
    return len(books.rows(app, sa.select(outbox.c.id).where(outbox.c.state != "sent")))


@pytest.mark.every_database
def test_couriers_together_keep_to_the_rates(app: App, sandbox: Sandbox, client: WebClient, clock: Clock) -> None:
    """Three couriers at once send what one may: four messages a second, one a second to a conversation, each once."""
    announce(app, slack.GENERAL, 5)
    announce(app, slack.BOARD, 5)
    owe(app, ADA, MARA, *BOARD_OF)
    owed = open_rows(app)
    couriers = [courier.Courier(app, client, compose=say, monotonic=seconds_of(clock)) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        for _ in range(MOST_SECONDS):
            list(pool.map(lambda one: one(), couriers))
            if not open_rows(app):
                break
            clock.move(seconds=1)
    posts = [call for call in sandbox.calls if call.method == "chat.postMessage"]
    assert len(posts) == len({call.args["metadata"]["event_payload"]["key"] for call in posts}) == owed
    assert most_within([call.at for call in posts], A_SECOND) == slack_rates.OF_APP.burst
    for channel in {call.args["channel"] for call in posts}:
        assert most_within([call.at for call in posts if call.args["channel"] == channel], A_SECOND) == 1


@pytest.mark.parametrize(("method", "most"), [(UPDATING, 50), (UPLOADING[0], 100)])
def test_no_minute_has_more_calls_than_slack_promises(sqlite_app: App, clock: Clock, method: str, most: int) -> None:
    """Two couriers that ask every quarter of a second get as much as the tier has, and no more in any minute."""
    drawn: list[datetime] = []
    couriers = [SlackRates(seconds_of(clock)) for _ in range(2)]
    with sqlite_app.database.transaction() as session:
        for _ in range(90 * 4):
            drawn += [clock.now for rates in couriers if not rates.draw(session, [method], clock.now)]
            clock.move(seconds=0.25)
    assert most - 1 <= most_within(drawn, A_MINUTE) <= most
    assert len(drawn) >= 1.2 * most


@pytest.mark.every_database
def test_a_race_for_the_last_call_has_one_winner(app: App) -> None:
    """Of twenty who draw at the same instant as many win as the bucket holds, whoever comes first."""
    crowd = 20
    start = Barrier(crowd)

    def draw(_number: int) -> timedelta:
        rates = SlackRates(lambda: 0.0)
        start.wait()
        with app.database.transaction() as session:
            return rates.draw(session, [UPDATING], NOON)

    with ThreadPoolExecutor(crowd) as pool:
        waits = list(pool.map(draw, range(crowd)))
    assert Counter(waits) == {timedelta(0): TIER_3.burst, TIER_3.every: crowd - TIER_3.burst}


def test_who_may_not_call_yet_is_told_when(sqlite_app: App, clock: Clock) -> None:
    """A call that comes when it was told to may come, one just before may not; of two methods both have to allow."""
    rates = SlackRates(seconds_of(clock))

    def draw(*methods: str) -> timedelta:
        with sqlite_app.database.transaction() as session:
            return rates.draw(session, methods, clock.now)

    assert [draw(UPDATING) for _ in range(TIER_3.burst)] == [timedelta(0)] * TIER_3.burst
    wait = draw(UPDATING, LOOKING_UP)
    assert wait == TIER_3.every
    clock.now += wait - timedelta(milliseconds=1)
    assert draw(UPDATING) == timedelta(milliseconds=1)
    clock.now += timedelta(milliseconds=1)
    assert draw(UPDATING, LOOKING_UP) == timedelta(0)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_is_set_changes_no_pace(sqlite_app: App, clock: Clock, minutes: int) -> None:
    """Set back by ten minutes, a courier goes on after the second that it would have waited anyway; forth, at once."""
    here = [0.0]
    rates = SlackRates(lambda: here[0])

    def draw() -> timedelta:
        with sqlite_app.database.transaction() as session:
            return rates.draw(session, ["in:C0"], clock.now)

    assert draw() == timedelta(0)
    clock.move(minutes=minutes)
    if minutes < 0:
        assert draw() == A_SECOND
        here[0] += 0.75
        assert draw() == timedelta(seconds=0.25)
        here[0] += 0.25
    assert draw() == timedelta(0)


@pytest.mark.every_database
def test_slacks_word_to_wait_is_for_every_courier(app: App, sandbox: Sandbox, client: WebClient, clock: Clock) -> None:
    """After a 429 of one courier another one asks nothing before the time that Slack named; then both go on."""
    owe(app, ADA, BEN, MARA)
    one, other = (courier.Courier(app, client, compose=say, monotonic=seconds_of(clock)) for _ in range(2))
    clock.move(hours=3)  # Ben's morning.
    sandbox.faults.add("chat.postMessage", status=429, retry_after=30)
    assert one().stopped == "ratelimited"
    asked = len(sandbox.calls)
    told = other()
    assert (told.stopped, told.quiet_for) == ("ratelimited", timedelta(seconds=30))
    clock.move(seconds=29)
    assert [one().stopped, other().stopped] == ["ratelimited"] * 2
    assert len(sandbox.calls) == asked
    assert row(app, f"note:{BEN}")["attempts"] == 0
    for _ in range(3):
        clock.move(seconds=1)
        one()
        other()
    assert [len(dm(sandbox, user)) for user in (slack.ADA, slack.BEN, slack.MARA)] == [1, 1, 1]


def test_what_waits_for_its_rate_holds_up_nobody_else(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """Where no picture may be uploaded yet its message waits, with no attempt counted, and the others go out."""
    owe(sqlite_app, ADA, picture=True)
    owe(sqlite_app, MARA)
    rates = SlackRates(seconds_of(clock))
    with sqlite_app.database.transaction() as session:
        while not rates.draw(session, UPLOADING, clock.now):
            pass
    work = courier.Courier(sqlite_app, client, compose=say, monotonic=seconds_of(clock))
    done = work()
    assert (done.sent, done.postponed, done.stopped) == (1, 1, "")
    assert row(sqlite_app, f"note:{ADA}")["attempts"] == 0
    clock.move(seconds=1)
    assert work().sent == len(dm(sandbox, slack.ADA)) == 1


def test_buckets_that_are_full_are_forgotten(app: App, clock: Clock) -> None:
    """A bucket that nobody drew from for long leaves no row, and holds as much as a new one."""
    rates = SlackRates(seconds_of(clock))
    with app.database.transaction() as session:
        rates.draw(session, [APP], clock.now)
        clock.move(hours=3)
        store.forget_full(session, before=clock.now - slack_rates.FORGOTTEN_AFTER)
        assert store.hold(session, [], now=clock.now) == {}
        assert [rates.draw(session, [APP], clock.now) for _ in range(5)][-2:] == [
            timedelta(0),
            timedelta(milliseconds=250),
        ]
