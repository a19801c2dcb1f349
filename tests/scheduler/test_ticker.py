"""The clockwork asks for work often, never twice at a time, and makes up for what it missed."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from apscheduler.events import EVENT_JOB_EXECUTED

from policy.reasons import Refusal
from policy.units import MicroTokens
from programme.vitals import COURIER, Vitals
from scheduler import slack_delivery, ticker
from scheduler.delivered import Delivered
from scheduler.ticker import Presence
from store import pulses, runs
from store.pulses import Pulse
from store.tables.outbox import processes
from tests.support import books, cast, held, rollout
from tests.support import outcomes as work
from tests.support.books import ADA
from tests.support.clock import NOON

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

NEWCOMER = "email,name,level,role_family,time_zone,hired_on\nnew@example.com,New,mid,engineering,UTC,2026-01-01\n"


def test_every_job_is_frequent_single_and_never_dropped(sqlite_app: App) -> None:
    """A job that comes late runs all the same, once for all the times it missed, and not beside itself."""
    client = slack_delivery.client("xoxb-none", "http://127.0.0.1:9/api/")
    built = ticker.build(sqlite_app, slack=client, read_board=lambda: None)
    assert built.paces == {"tick": 30, "board": 3_600, "courier": 1, "pulse": 30}
    built.scheduler.start(paused=True)
    for job in built.scheduler.get_jobs():
        assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)
    built.scheduler.shutdown()
    assert set(ticker.build(sqlite_app).paces) == {"tick", "pulse"}


def test_a_scheduler_that_was_built_does_nothing_yet(sqlite_app: App) -> None:
    """Who builds it starts it."""
    assert not ticker.build(sqlite_app).scheduler.running


@pytest.mark.parametrize("fails", [False, True])
def test_the_clockwork_retries_what_waits(sqlite_app: App, monkeypatch: pytest.MonkeyPatch, *, fails: bool) -> None:
    """A started scheduler ticks in its own thread, tries again what waits, and goes on after one that failed."""
    books.take_in(sqlite_app, cast.event("1", at=NOON, who="new@example.com"))
    cast.hire(sqlite_app, NEWCOMER)
    if fails:
        monkeypatch.setattr("programme.usage.intake.retry_quarantine", None)
    clockwork = ticker.build(sqlite_app)
    done = threading.Event()
    clockwork.scheduler.add_listener(lambda event: done.set() if event.job_id == "tick" else None, EVENT_JOB_EXECUTED)
    clockwork.start()
    assert done.wait(10)
    assert clockwork.scheduler.get_job("tick") is not None
    clockwork.stop()
    [tick] = sqlite_app.vitals.read()
    assert tick.problem == ("TypeError" if fails else "")
    assert books.wallet(sqlite_app, "new@example.com") == MicroTokens(0 if fails else -540_000)


def test_the_clockwork_attributes_outcomes_that_wait(sqlite_app: App) -> None:
    """Once a name is mapped, the work that waited for it is its team's at the next tenth minute."""
    work.take_in(sqlite_app, work.reported(work.pull_request(1)))
    work.map_logins(sqlite_app)
    ticker.tick_once(sqlite_app)
    assert work.outputs(sqlite_app) == {"pull_request": 2_000}


# --- How it goes ---------------------------------------------------------------------------------------------------


def test_a_trouble_is_logged_when_it_begins_and_when_it_ends(sqlite_app: App, caplog: pytest.LogCaptureFixture) -> None:
    """A job that fails every second is two lines of the log, with the place and nothing of the values."""
    caplog.set_level(logging.INFO)
    amount = 987_654

    def broken() -> None:
        raise RuntimeError(f"a wallet has {amount} tokens")

    for _ in range(3):
        ticker.watched(sqlite_app, COURIER, broken)
    [courier] = sqlite_app.vitals.read()
    assert (courier.problem, courier.failures) == ("RuntimeError", 3)
    ticker.watched(sqlite_app, COURIER, lambda: None)
    failed, well = (record.getMessage() for record in caplog.records)
    assert failed.startswith("courier failed: RuntimeError\n")
    assert "in broken" in failed
    assert "987654" not in failed
    assert well == "courier is well again after RuntimeError"


def test_a_courier_that_slack_stops_is_not_well(sqlite_app: App) -> None:
    """While Slack refuses the token passes are no successes, those in the quiet in between neither."""
    sqlite_app.vitals.expect(COURIER)
    for _ in range(2):
        ticker.watched(sqlite_app, COURIER, lambda: ticker._deliver(lambda: Delivered(stopped="token_revoked")))
    [courier] = sqlite_app.vitals.read()
    assert (courier.problem, courier.failures) == ("token_revoked", 2)


def test_a_clock_that_leaps_years_moves_no_calendar(sqlite_app: App, clock: Clock) -> None:
    """Ten years ahead at once nothing is granted and nothing lapses; put right, the calendar goes on."""
    rollout.launch(sqlite_app)
    here = [0.0]
    passes = ticker.Ticker(sqlite_app, monotonic=lambda: here[0])

    def done() -> dict[str, str]:
        with sqlite_app.database.reading() as session:
            return runs.last_periods(session)

    passes()
    before = done()
    true_time = clock.now
    clock.move(days=3_650)
    here[0] += 30
    for _ in range(3):
        with pytest.raises(Refusal, match=r"from 2026-11-20 to 2036-11-17 at once\. .*start the bot again") as refused:
            passes()
    assert refused.value.code == "clock_leapt"
    assert done() == before
    clock.now = true_time + timedelta(minutes=1)
    passes()
    assert done() == before
    # A night's sleep of the machine, of which its monotonic clock knows nothing, is made up for.
    clock.move(days=3)
    passes()
    assert done()["expiry"] > before["expiry"]


def test_pulses_outlive_the_process(app: App, clock: Clock) -> None:
    """Whoever asks the database hears when a part was last well and what ails it since."""
    here = [0.0]
    app = replace(app, vitals=Vitals(lambda: here[0]))
    app.vitals.expect(COURIER)
    ticker.note_pulse(app)
    with app.database.reading() as session:
        assert pulses.latest(session) == {}
    app.vitals.well(COURIER)
    ticker.note_pulse(app)
    begun = clock.now
    here[0] += 61
    clock.move(seconds=61)
    app.vitals.ailing(COURIER, "no_answer")
    for _ in range(2):
        ticker.note_pulse(app)
    with app.database.reading() as session:
        assert pulses.latest(session) == {COURIER: Pulse(COURIER, begun, clock.now, "no_answer")}


def test_a_process_is_known_from_its_first_pulse_to_its_end(app: App, clock: Clock) -> None:
    """Others hear what it runs and what ails it; one that was killed is silent, and forgotten after a day."""
    begun, here = clock.now, [0.0]
    app = replace(app, vitals=Vitals(lambda: here[0]))
    app.vitals.expect(COURIER)
    killed, ended = Presence("killed", ("http", "courier"), begun), Presence("ended", ("tick",), begun)

    def running() -> list[tuple[str, str, str | None]]:
        with app.database.reading() as session:
            found = pulses.running(session, clock.now)
        assert {process.began_at for process in found} <= {begun}
        return [(process.process, process.part, process.problem) for process in found]

    ticker.note_pulse(app, killed)
    ticker.note_pulse(app, ended)
    assert running() == [("killed", "courier", None), ("killed", "http", None), ("ended", "tick", None)]
    app.vitals.ailing(COURIER, "no_answer")
    clock.move(seconds=30)
    ticker.note_pulse(app, killed)
    ticker.leave(app, ended)
    assert running() == [("killed", "courier", "no_answer"), ("killed", "http", None)]
    clock.move(minutes=4)
    assert running() == []
    clock.move(days=1)
    ticker.note_pulse(app, ended)
    assert books.rows(app, sa.select(processes.c.process)) == [("ended",)]


def test_a_tick_frees_what_is_held_beyond_its_time(sqlite_app: App, clock: Clock) -> None:
    """A gateway that died holds up nobody for longer than its calls may take."""
    cast.give(sqlite_app, ADA, "1000")
    held.reserve(sqlite_app, "1")
    ticker.tick_once(sqlite_app)
    assert held.on_wallet(sqlite_app) == held.tokens("100")
    clock.move(minutes=16)
    ticker.tick_once(sqlite_app)
    assert held.on_wallet(sqlite_app) == held.tokens("0")
    assert held.one(sqlite_app, "1").status == "lapsed"
