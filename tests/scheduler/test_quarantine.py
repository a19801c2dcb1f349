"""What waits in quarantine is tried again as a whole, in batches, and nothing is tried twice in one go."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.units import MicroTokens
from scheduler import quarantine
from store.tables.usage import quarantine as table
from tests.support import books, cast
from tests.support.clock import NOON, Clock

if TYPE_CHECKING:
    from programme.app import App
    from store.engine import Database

NEWCOMER = "email,name,level,role_family,time_zone,hired_on\nnew@example.com,New,mid,engineering,UTC,2026-01-01\n"


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of three, so that a handful of events needs several."""
    monkeypatch.setattr(quarantine, "BATCH", 3)


def wait_for(app: App, clock: Clock, count: int) -> None:
    """Events of two strangers in turn, of whom one will be hired; some arrive at the same moment."""
    for number in range(count):
        who = "new@example.com" if number % 2 else "ghost@example.com"
        books.take_in(app, cast.event(f"{number:03}", at=NOON, who=who))
        if number % 4 == 3:
            clock.move(minutes=1)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_few_that_wait_are_tried_once(sqlite_app: App, clock: Clock, count: int) -> None:
    """Nothing, less than a batch, and exactly one batch are told as they are."""
    wait_for(sqlite_app, clock, count)
    cast.hire(sqlite_app, NEWCOMER)
    assert quarantine.retry_all(sqlite_app) == (count // 2, count - count // 2)


@pytest.mark.usefixtures("small_batches")
def test_everything_that_waits_is_tried_once(app: App, clock: Clock) -> None:
    """Over any number of batches, what can be posted is, and the rest is counted as still waiting."""
    wait_for(app, clock, 10)
    assert quarantine.retry_all(app) == (0, 10)
    cast.hire(app, NEWCOMER)
    assert quarantine.retry_all(app) == (5, 5)
    assert books.wallet(app, "new@example.com") == MicroTokens(-540_000 * 5)
    assert quarantine.retry_all(app) == (0, 5)
    assert books.findings(app) == {}


@pytest.mark.usefixtures("small_batches")
def test_a_release_is_noted_with_its_time(sqlite_app: App, clock: Clock) -> None:
    """An event that left quarantine stays there on record, with when it came and when it left."""
    wait_for(sqlite_app, clock, 2)
    cast.hire(sqlite_app, NEWCOMER)
    clock.now = NOON + timedelta(days=1)
    quarantine.retry_all(sqlite_app)
    c = table.c
    query = sa.select(c.event_id, c.since, c.released_at).order_by(c.event_id)
    assert books.rows(sqlite_app, query) == [("000", NOON, None), ("001", NOON, NOON + timedelta(days=1))]


@pytest.mark.every_database
def test_two_that_retry_at_once_release_each_event_once(database_url: str, app: App, clock: Clock) -> None:
    """Any number of replicas may retry at the same moment: every event is posted by one of them."""
    wait_for(app, clock, 20)
    cast.hire(app, NEWCOMER)
    released: list[int] = []

    def run(database: Database) -> None:
        mine = type(app)(database, app.zone, clock)
        released.append(quarantine.retry_all(mine)[0])

    assert books.at_once(database_url, [run] * 4) == []
    assert sum(released) == 10
    assert books.wallet(app, "new@example.com") == MicroTokens(-5_400_000)
    assert books.findings(app) == {}


def test_only_a_release_is_worth_a_line_in_the_log(
    sqlite_app: App, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Every ten minutes of nothing would drown the log; a release is told by its number, without names."""
    caplog.set_level(logging.INFO, logger="scheduler.quarantine")
    wait_for(sqlite_app, clock, 3)
    quarantine.retry_all(sqlite_app)
    assert caplog.messages == []
    cast.hire(sqlite_app, NEWCOMER)
    quarantine.retry_all(sqlite_app)
    assert caplog.messages == ["quarantine: 1 released, 2 still waiting"]
