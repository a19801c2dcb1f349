"""What the clockwork asks for: frequent jobs in memory, which know themselves what is owed.

Several replicas may run it: every job is safe to run twice.
"""

from __future__ import annotations

import logging
import time
import traceback
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from policy.reasons import Refusal
from programme import vitals
from programme.balance import warnings
from programme.holds import ending
from programme.offers import listing, making
from programme.outcomes import intake
from scheduler import courier, quarantine, tick
from scheduler.clockwork import Clockwork
from scheduler.slack_rates import FORGOTTEN_AFTER
from scheduler.vendors import nightly
from store import pulses, runs
from store.outbox import slack_rates

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from slack_sdk import WebClient

    from programme.app import App
    from scheduler.delivered import Delivered
    from scheduler.vendors.client import Access

logger = logging.getLogger(__name__)

BELIEVED = timedelta(minutes=15)
"""Slack's signature holds for five minutes, and events may come again for six; the rest is for clocks that differ."""
TICK_SECONDS, COURIER_SECONDS, PULSE_SECONDS, BOARD_SECONDS = 30, 1, 30, 3_600
LINK_SECONDS = 3_600
RETRY_MINUTES = 10
"""What waits in quarantine is tried again in every tenth minute of the clock."""
GREATEST_LEAP = timedelta(days=31)
"""The wall clock may go forward so much more than time did, as after a night's sleep of the machine; what goes further
is a clock that was set wrong, and the calendar would pay out and let lapse what is years away."""


def build(
    app: App,
    *,
    ticking: bool = True,
    slack: WebClient | None = None,
    announce_in: str | None = None,
    read_board: Callable[[], object] | None = None,
    link_people: Callable[[], object] | None = None,
    vendors: Sequence[Access] = (),
    presence: Presence | None = None,
) -> Clockwork:
    """A clockwork that is not running yet; without a client it has no courier, and it may leave the tick to others.

    `read_board` reads the board's user group: at once, and every hour in case that Slack's word of a change was lost.
    `link_people` looks for accounts of people who never wrote to the bot, every hour. `presence` is told to others.
    """
    clockwork = Clockwork()
    if ticking:
        work = Ticker(app, announce_in=announce_in)
        app.vitals.expect(vitals.TICK)
        # The first tick comes at once: after an outage there is something to make up for.
        clockwork.every(TICK_SECONDS, partial(watched, app, vitals.TICK, work), job="tick", at_once=True)
        if vendors:
            clockwork.every(nightly.SECONDS, partial(nightly.work, app, vendors), job="vendors", at_once=True)
    if read_board is not None:
        clockwork.every(BOARD_SECONDS, read_board, job="board", at_once=True)
    if link_people is not None:
        clockwork.every(LINK_SECONDS, link_people, job="link")
    if slack is not None:
        passes = courier.Courier(app, slack)
        app.vitals.expect(vitals.COURIER)
        clockwork.every(
            COURIER_SECONDS, partial(watched, app, vitals.COURIER, partial(_deliver, passes)), job="courier"
        )
    clockwork.every(PULSE_SECONDS, partial(note_pulse, app, presence), job="pulse", at_once=True)
    return clockwork


def _deliver(passes: Callable[[], Delivered]) -> None:
    if stopped := passes().stopped:
        raise Refusal(stopped, f"The courier waits: {stopped}.")


def watched(app: App, part: str, work: Callable[[], datetime | None]) -> None:
    """Do a part's work and note how it went; `work` returns since when something is owed. It never raises.

    A trouble is logged when it begins and when it is over, not each second in between.
    """
    try:
        owed_since = work()
    except Refusal as refusal:
        if app.vitals.ailing(part, refusal.code):
            logger.warning("%s waits: %s", part, refusal.code)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is noted, and the next run tries again
        kind = type(error).__qualname__
        if app.vitals.ailing(part, kind):
            logger.error("%s failed: %s\n%s", part, kind, "".join(traceback.format_tb(error.__traceback__)))  # noqa: TRY400
    else:
        if before := app.vitals.well(part, owed_since=owed_since):
            logger.info("%s is well again after %s", part, before)


class Presence(NamedTuple):
    """A process, and what it runs of the bot since when."""

    process: str
    parts: tuple[str, ...]
    began_at: datetime


def note_pulse(app: App, presence: Presence | None = None) -> None:
    """Keep for the doctor how the parts of this process are doing. It never raises."""
    try:
        now, read = app.clock(), app.vitals.read()
        # A part that only begins is neither well nor silent.
        told = {vital.part: vital.problem or ("" if vital.is_well else "silent") for vital in read}
        with app.database.transaction() as session:
            for vital in read:
                if told[vital.part] or vital.succeeded:
                    pulses.note(session, vital.part, now=now, problem=told[vital.part])
            if presence is not None:
                ailing = {part: told.get(part) or None for part in presence.parts}
                pulses.tell(session, presence.process, ailing, began_at=presence.began_at, now=now)
    except Exception as error:  # noqa: BLE001 - the parts themselves say what ails
        logger.debug("no pulse was kept: %s", type(error).__qualname__)


def leave(app: App, presence: Presence) -> None:
    """A process ends as it should, and nobody misses it. It never raises."""
    try:
        with app.database.transaction() as session:
            pulses.leave(session, presence.process)
    except Exception as error:  # noqa: BLE001 - it is missed then, for a while
        logger.debug("the end was not kept: %s", type(error).__qualname__)


class Ticker:
    """Ticks of one process, as long as its clock can be believed."""

    def __init__(
        self, app: App, *, announce_in: str | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._app, self._announce_in, self._monotonic = app, announce_in, monotonic
        self._last: tuple[datetime, float] | None = None

    def __call__(self) -> datetime | None:
        """One tick; since when something is owed. A Refusal `clock_leapt` after a leap of months."""
        now, here = self._app.clock(), self._monotonic()
        if self._last is not None:
            then, there = self._last
            if now - then - timedelta(seconds=here - there) > GREATEST_LEAP:
                raise Refusal(
                    "clock_leapt",
                    f"The clock went from {then:%Y-%m-%d} to {now:%Y-%m-%d} at once.",
                    next_step="Set the machine's clock; if it is right now, start the bot again.",
                )
        self._last = now, here
        return tick_once(self._app, announce_in=self._announce_in)


def warn(app: App) -> int:
    """Look at every wallet that usage was posted to since the last time; how many."""
    looked = 0
    while True:
        with app.transaction() as moment:
            some = warnings.look(moment)
        looked += some
        if some < warnings.AT_A_TIME:
            return looked


def lapse_holds(app: App, *, now: datetime | None = None) -> int:
    """Free what is held beyond its time, and forget what nothing asks for any more; how many holds lapsed."""
    lapsed = 0
    while True:
        with app.transaction(now) as moment:
            some = ending.lapse(moment)
        lapsed += some
        if some < ending.AT_A_TIME:
            return lapsed


def tick_once(app: App, *, announce_in: str | None = None) -> datetime | None:
    """Do what the calendar owes, and now and then try again what waits in quarantine; since when something is owed."""
    now = app.clock()
    ticked = tick.tick(app, now=now, announce_in=announce_in)
    warn(app)
    lapse_holds(app)
    nightly.mend(app)
    with app.database.transaction() as session:
        runs.forget_taken(session, before=now - BELIEVED)
        slack_rates.forget_full(session, before=now - FORGOTTEN_AFTER)
    if now.minute % RETRY_MINUTES == 0:
        quarantine.retry_all(app)
        with app.transaction() as moment:
            intake.attribute_waiting(moment)
        with app.transaction() as moment:
            ending.forget_past(moment)
            making.forget_old(moment)
            listing.tell_outdated(moment)
    return ticked.owed_since
