"""The clockwork: APScheduler runs two frequent interval jobs in memory, and the jobs themselves know what is owed.

Several replicas may run it: every job is safe to run twice.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from apscheduler.schedulers.background import BackgroundScheduler

from programme.balance import warnings
from programme.outcomes import intake
from scheduler import courier, quarantine, tick

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_sdk import WebClient

    from programme.app import App

TICK_SECONDS, COURIER_SECONDS = 30, 1
RETRY_MINUTES = 10
"""What waits in quarantine is tried again in every tenth minute of the clock."""


def build(
    app: App,
    *,
    ticking: bool = True,
    slack: WebClient | None = None,
    announce_in: str | None = None,
    read_board: Callable[[], object] | None = None,
) -> BackgroundScheduler:
    """A scheduler that is not running yet; without a client it has no courier, and it may leave the tick to others.

    `read_board` reads the board's user group: at once, and every hour in case that Slack's word of a change was lost.
    """
    scheduler = BackgroundScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    if ticking:
        work = partial(tick_once, app, announce_in=announce_in)
        # The first tick comes at once: after an outage there is something to make up for.
        scheduler.add_job(work, "interval", seconds=TICK_SECONDS, id="tick", next_run_time=datetime.now(UTC))
    if read_board is not None:
        scheduler.add_job(read_board, "interval", hours=1, id="board", next_run_time=datetime.now(UTC))
    if slack is not None:
        scheduler.add_job(courier.Courier(app, slack), "interval", seconds=COURIER_SECONDS, id="courier")
    return scheduler


def warn(app: App) -> int:
    """Look at every wallet that usage was posted to since the last time; how many."""
    looked = 0
    while True:
        with app.transaction() as moment:
            some = warnings.look(moment)
        looked += some
        if some < warnings.AT_A_TIME:
            return looked


def tick_once(app: App, *, announce_in: str | None = None) -> None:
    """Do what the calendar owes, and now and then try again what waits in quarantine."""
    now = app.clock()
    tick.tick(app, now=now, announce_in=announce_in)
    warn(app)
    if now.minute % RETRY_MINUTES == 0:
        quarantine.retry_all(app)
        with app.transaction() as moment:
            intake.attribute_waiting(moment)
