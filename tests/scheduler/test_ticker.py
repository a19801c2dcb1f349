"""The clockwork asks for work often, never twice at a time, and makes up for what it missed."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED

from policy.units import MicroTokens
from scheduler import slack_delivery, ticker
from tests.support import books, cast
from tests.support import outcomes as work
from tests.support.clock import NOON

if TYPE_CHECKING:
    from programme.app import App

NEWCOMER = "email,name,level,role_family,time_zone,hired_on\nnew@example.com,New,mid,engineering,UTC,2026-01-01\n"


def test_every_job_is_frequent_single_and_never_dropped(sqlite_app: App) -> None:
    """A job that comes late runs all the same, once for all the times it missed, and not beside itself."""
    client = slack_delivery.client("xoxb-none", "http://127.0.0.1:9/api/")
    jobs = ticker.build(sqlite_app, slack=client).get_jobs()
    assert [(job.id, job.trigger.interval.total_seconds()) for job in jobs] == [("tick", 30), ("courier", 1)]
    assert [job.id for job in ticker.build(sqlite_app).get_jobs()] == ["tick"]


def test_a_scheduler_that_was_built_does_nothing_yet(sqlite_app: App) -> None:
    """Who builds it starts it."""
    assert not ticker.build(sqlite_app).running


@pytest.mark.parametrize("fails", [False, True])
def test_the_clockwork_retries_what_waits(sqlite_app: App, monkeypatch: pytest.MonkeyPatch, *, fails: bool) -> None:
    """A started scheduler ticks in its own thread, tries again what waits, and goes on after one that failed."""
    books.take_in(sqlite_app, cast.event("1", at=NOON, who="new@example.com"))
    cast.hire(sqlite_app, NEWCOMER)
    if fails:
        monkeypatch.setattr("programme.usage.intake.retry_quarantine", None)
    scheduler = ticker.build(sqlite_app)
    done = threading.Event()
    scheduler.add_listener(lambda _event: done.set(), EVENT_JOB_ERROR if fails else EVENT_JOB_EXECUTED)
    scheduler.start(paused=True)
    [job] = scheduler.get_jobs()
    assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)
    # Long overdue: as after a night in which the machine was off.
    job.modify(next_run_time=job.next_run_time - timedelta(days=1))
    scheduler.resume()
    assert done.wait(10)
    assert scheduler.get_job("tick").next_run_time is not None
    scheduler.shutdown(wait=True)
    assert books.wallet(sqlite_app, "new@example.com") == MicroTokens(0 if fails else -540_000)


def test_the_clockwork_attributes_outcomes_that_wait(sqlite_app: App) -> None:
    """Once a name is mapped, the work that waited for it is its team's at the next tenth minute."""
    work.take_in(sqlite_app, work.reported(work.pull_request(1)))
    work.map_logins(sqlite_app)
    ticker.tick_once(sqlite_app)
    assert work.outputs(sqlite_app) == {"pull_request": 2_000}
