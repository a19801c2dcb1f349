"""The tick does what is owed, once, whoever ticks and whatever fails."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import Month
from policy.units import NanoUSD
from programme.people import terms
from scheduler import tick as ticking
from store.tables.grants import grants
from store.tables.outbox import outbox, run_failures, runs
from store.tables.reviews import reviews
from tests.support import books, cast, rollout
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from programme.app import App
    from store.engine import Database

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOVEMBER = Month(2026, 11)


def test_without_a_launch_a_tick_does_nothing(app: App) -> None:
    """The packaged handbook has no launch date: no run, no record."""
    ticked = rollout.run_calendar(app, NOON)
    assert ticked.done == ()
    assert books.count(app, runs) == 0


def test_the_first_tick_grants_the_present_month_only(app: App) -> None:
    """Ten months after the launch the bot comes to a company: it grants November, not the ten months before."""
    rollout.launch(app)
    ticked = rollout.run_calendar(app, NOON)
    assert [(run.job, run.period) for run in ticked.done] == [
        ("grants", "2026-11"),
        ("lapses", "2026-11"),
        ("expiry", "2026-11-20"),
        ("joiners", "2026-11-20"),
        ("notices", "2026-11-20"),
    ]
    assert rollout.run_calendar(app, NOON).done == ()
    later = rollout.run_calendar(app, NOON + timedelta(days=1))
    assert {run.period for run in later.done} == {"2026-11-21"}


def test_an_outage_over_the_first_is_made_up_for(app: App) -> None:
    """Down from the 29th to the 3rd: every day and the month are done late, in order, and nothing twice."""
    rollout.launch(app)
    rollout.run_calendar(app, datetime(2026, 11, 28, 12, tzinfo=UTC))
    ticked = rollout.run_calendar(app, datetime(2026, 12, 3, 12, tzinfo=UTC))
    assert [run.period for run in ticked.done if run.job == "expiry"] == [
        "2026-11-29",
        "2026-11-30",
        "2026-12-01",
        "2026-12-02",
        "2026-12-03",
    ]
    assert [run.period for run in ticked.done if run.job == "grants"] == ["2026-12"]
    assert ADA in rollout.granted(app, "2026-12")
    assert books.findings(app) == {}


def test_the_calendar_drafts_the_review_once(app: App) -> None:
    """On the first morning of the new year the quarter before is drafted, once, and no grant is changed by it."""
    rollout.launch(app)
    rollout.run_calendar(app, datetime(2026, 12, 31, 12, tzinfo=UTC))
    nine = datetime(2027, 1, 1, 8, tzinfo=UTC)
    early = rollout.run_calendar(app, nine - timedelta(minutes=1))
    assert "reviews" not in {run.job for run in early.done}
    assert [(run.job, run.period) for run in rollout.run_calendar(app, nine).done] == [("reviews", "2026-Q4")]
    asked = rollout.run_calendar(app, nine + timedelta(minutes=1))
    assert [(run.job, run.period) for run in asked.done] == [("review.convene", "2026-Q4")]
    assert rollout.run_calendar(app, nine + timedelta(minutes=2)).done == ()
    assert books.count(app, reviews) == 1
    rollout.run_calendar(app, datetime(2027, 2, 1, 12, tzinfo=UTC))
    assert rollout.factors(app, ADA, "2027-02")["adjustment"] == "1.0000"
    assert books.findings(app) == {}


def test_a_run_that_is_refused_is_on_record_and_tried_again(app: App) -> None:
    """Floors above the budget: the grants wait with their reason, the other jobs go on; a new budget settles it."""
    rollout.launch(app)
    with app.transaction(NOON) as moment:
        terms.set_budget(moment, NOVEMBER, NanoUSD.parse("100"), actor="test")
    for attempt in (1, 2):
        ticked = ticking.tick(app, now=NOON + timedelta(minutes=attempt))
        [(run, reason)] = ticked.failed
        assert run.job == "grants"
        assert "floors of 5 people" in reason
        [(job, period, attempts)] = books.rows(
            app, sa.select(run_failures.c.job, run_failures.c.period, run_failures.c.attempts)
        )
        assert (job, period, attempts) == ("grants", "2026-11", attempt)
    assert {job for (job,) in books.rows(app, sa.select(runs.c.job))} == {"expiry", "joiners", "notices"}
    assert books.count(app, grants) == 0
    with app.transaction(NOON) as moment:
        terms.set_budget(moment, NOVEMBER, NanoUSD.parse("50000"), actor="test")
    rollout.run_calendar(app, NOON + timedelta(minutes=3))
    assert books.count(app, grants) == 5
    assert books.count(app, run_failures) == 0


def test_a_month_of_nobody_is_passed_over_once_it_is_over(app: App) -> None:
    """Midpoints that hold only from December on: November is refused while it lasts, then holds up December no more."""
    rollout.launch(app, without_midpoints=True)
    ticked = ticking.tick(app, now=NOON, announce_in="C0NEWS")
    [(run, reason)] = ticked.failed
    assert (run.job, run.period) == ("grants", "2026-11")
    assert f"pay band 'P4' has no midpoint for 2026-11-01: {ADA}." in reason
    assert books.count(app, outbox) == 0
    rollout.set_midpoints(app, date(2026, 12, 1))
    assert [run.period for run, _ in ticking.tick(app, now=NOON).failed] == ["2026-11"]
    rollout.run_calendar(app, datetime(2026, 12, 1, 12, tzinfo=UTC))
    assert rollout.granted(app, "2026-11") == {}
    assert ADA in rollout.granted(app, "2026-12")
    assert books.findings(app) == {}


def test_an_unforeseen_error_tells_no_figures(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no one foresaw is logged with its place; the record names its kind, and nothing is half done."""
    rollout.launch(app)

    def fail(*_: object, **__: object) -> None:
        raise ValueError("Ada has 412,500 tokens")

    monkeypatch.setattr("programme.grants.monthly._owe_statements", fail)
    ticked = ticking.tick(app, now=NOON)
    [(_, reason)] = ticked.failed
    assert reason == "ValueError; see the log"
    assert books.count(app, grants) == books.count(app, outbox) == 0


@pytest.mark.every_database
def test_replicas_that_tick_at_once_do_everything_once(app: App, database_url: str) -> None:
    """Eight replicas tick in the same instant: every run once, every statement once, all figures proved."""
    rollout.launch(app)

    def replica(database: Database) -> None:
        ticked = ticking.tick(dataclasses.replace(app, database=database), now=NOON)
        assert ticked.failed == ()

    assert books.at_once(database_url, [replica] * 8) == []
    assert books.count(app, runs) == 5
    assert books.count(app, grants) == books.count(app, outbox) == 5
    assert books.findings(app) == {}


def test_somebody_hired_later_is_granted_the_next_day(app: App) -> None:
    """Anyone who was not known on the first is granted by the next tick, for the days from when they came."""
    rollout.launch(app)
    rollout.run_calendar(app, NOON)
    joiner = "zoe@example.com,Zoe Martin,mid,engineering,P2,Europe/Paris,2026-11-21,1\n"
    cast.hire(app, f"email,name,level,role_family,pay_band,time_zone,hired_on,wave\n{joiner}")
    rollout.run_calendar(app, NOON + timedelta(days=1))
    assert rollout.factors(app, "zoe@example.com", "2026-11")["days_active"] == 10
    assert BEN in rollout.granted(app, "2026-11")
