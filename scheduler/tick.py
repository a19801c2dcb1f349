"""The tick: whatever the calendar owes is claimed and done, each run in a transaction of its own."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from policy import rollout
from policy.period import Month, Quarter, Week, day_of
from policy.reasons import Refusal
from programme import anchors
from programme.appeals import annual as annual_appeals
from programme.appeals import calendar as appeals_calendar
from programme.cash import calendar as cash_calendar
from programme.exceptions import calendar as exceptions_calendar
from programme.finance import adding_up, statements
from programme.gates import calendar as gates_calendar
from programme.grants import announcements, lapses, monthly, settling
from programme.handbook import deciding
from programme.privacy import retention
from programme.reports import weekly
from programme.reviews import calendar as reviews_calendar
from programme.reviews import drafting
from programme.usage import months_ahead, refusal_notes
from scheduler import due
from scheduler.due import Calendar, Run
from store import runs
from store.appeals import annual as annual_store
from store.appeals import records as appeals_store
from store.exceptions import requests as requests_store
from store.handbook import reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from programme.app import App
    from programme.moment import Moment

logger = logging.getLogger(__name__)

BEGINS_ON = "calendar_begins_on"
"""The first day that a calendar was at work here: months before it are no one's debt."""
RUNNING_IN = 1_000
"""Runs of one tick at the most; after a long outage the next tick goes on."""
BATCHES = 20
"""Transactions of one run in a tick at the most; the others wait for nothing that can wait itself."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a tick did: the runs that were done, and those that failed, each with its reason.

    `owed_since` is when the oldest run became due that is still to be done.
    """

    done: tuple[Run, ...]
    failed: tuple[tuple[Run, str], ...]
    owed_since: datetime | None = None


def owed(moment: Moment) -> tuple[Run, ...]:
    """What the calendar owes at an instant: runs of periods, and steps of whatever is decided."""
    today = moment.today
    book = moment.handbooks.on(today)
    begins = reference.fact(moment.session, BEGINS_ON)
    begins_on = type(today).fromisoformat(begins) if begins else today
    done = runs.last_periods(moment.session)
    at_gates = gates_calendar.owed(moment, done.get(due.GRANTS), begins_on)
    rolled = gates_calendar.standing_still(book.rollout, at_gates)
    reviews_from = rollout.first_review(rolled, book.sizing.history.quiet_quarters)
    # Each month is settled by its own rules.
    last = moment.handbooks.on(max(Month.containing(today).previous().days()))
    days = (book.lots.settle_days, last.finance.settle_days)
    calendar = Calendar(book.rollout.launched_on, begins_on, moment.zone, reviews_from, *days)
    periods = due.owed(moment.now, calendar, done)
    steps = due.steps(due.REQUEST, requests_store.due(moment.session, moment.now, limit=RUNNING_IN), moment.zone)
    steps += due.steps(due.PROPOSAL, deciding.to_lapse(moment), moment.zone)
    steps += due.steps(due.REVIEW, reviews_calendar.due(moment), moment.zone)
    steps += due.steps(due.GATE, at_gates, moment.zone)
    steps += due.steps(due.APPEAL, appeals_store.due(moment.session, moment.now, limit=RUNNING_IN), moment.zone)
    annual = annual_store.due(moment.session, moment.now, limit=RUNNING_IN)
    steps += due.steps(due.ANNUAL_APPEAL, annual, moment.zone)
    steps += due.steps(due.CASH, cash_calendar.due(moment), moment.zone)
    return due.in_order(*periods, *steps, *_owed_anyway(moment))


def _owed_anyway(moment: Moment) -> Iterator[Run]:
    """What has to do with no launch: each only as long as it is not done."""
    month = Month.containing(moment.today)
    for run, is_owed in (
        (due.refusals(moment.now, moment.zone), refusal_notes.is_owed),
        (due.monthly(due.MONTHS, moment.now, moment.zone), months_ahead.is_owed),
        (due.monthly(due.ANCHOR, moment.now, moment.zone), anchors.is_owed),
        (due.monthly(due.RETENTION, moment.now, moment.zone), partial(retention.is_owed, month=month)),
        (due.running_days(moment.now, moment.zone), adding_up.is_owed),
    ):
        if not runs.is_done(moment.session, run.job, run.period) and is_owed(moment):
            yield run


def tick(app: App, *, now: datetime, announce_in: str | None = None) -> Ticked:
    """Do everything that is owed, oldest first; a job whose run fails waits for the next tick, the others go on."""
    with app.reading(now) as moment:
        awaiting = owed(moment)
        begun = reference.fact(moment.session, BEGINS_ON)
    if begun is None and any(run.job in due.ORDER for run in awaiting):
        with app.database.transaction() as session:
            reference.record_fact(session, BEGINS_ON, day_of(now, app.zone).isoformat())
    done: list[Run] = []
    unfinished: list[Run] = []
    failed: list[tuple[Run, str]] = []
    for run in awaiting[:RUNNING_IN]:
        if not due.is_step(run) and {run.job, due.WAITS_FOR.get(run.job)} & {one.job for one, _ in failed}:
            continue
        attempt = _attempt(app, run, now=now, announce_in=announce_in)
        if attempt.failure is not None:
            failed.append((run, attempt.failure))
        else:
            (done if attempt.is_finished else unfinished).append(run)
    # What goes on with the next tick is not late.
    settled = {*done, *unfinished}
    owed_since = min((run.due_at for run in awaiting if run not in settled), default=None)
    return Ticked(tuple(done), tuple(failed), owed_since)


class _Attempt(NamedTuple):
    """Whether a run is done; why it failed, if it did."""

    is_finished: bool
    failure: str | None = None


def _attempt(app: App, run: Run, *, now: datetime, announce_in: str | None) -> _Attempt:
    """Do a run, or so many batches of it; a failure is on record then."""
    try:
        for _ in range(BATCHES):
            with app.transaction(now) as moment:
                if perform(moment, run, announce_in=announce_in):
                    return _Attempt(is_finished=True)
    except Refusal as refusal:
        reason = str(refusal)
        logger.warning("%s of %s is refused: %s", run.job, run.period, refusal.code)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is on record, and the other jobs go on
        where = "".join(traceback.format_tb(error.__traceback__))
        reason = f"{type(error).__qualname__}; see the log"
        logger.error("%s of %s failed: %s\n%s", run.job, run.period, type(error).__qualname__, where)  # noqa: TRY400
    else:
        return _Attempt(is_finished=False)
    with app.database.transaction() as session:
        runs.note_failure(session, run.job, run.period, reason=reason, now=now)
    return _Attempt(is_finished=False, failure=reason)


def perform(moment: Moment, run: Run, *, announce_in: str | None) -> bool:
    """Claim a run and do it, in the caller's transaction; nothing when it is done already.

    Whether that was all of it: what goes in batches is done by calls until then, and claimed with the last one.
    """
    if run.job == due.RETENTION:
        return _retain(moment, run)
    if run.job == due.RUNNING_DAYS:
        return _add_up_running(moment, run)
    _perform_whole(moment, run, announce_in=announce_in)
    return True


def _retain(moment: Moment, run: Run) -> bool:
    if not retention.advance(moment, run.due_at):
        return False
    if runs.claim(moment.session, run.job, run.period, now=moment.now):
        retention.record(moment, run.period)
    return True


def _add_up_running(moment: Moment, run: Run) -> bool:
    if not adding_up.advance(moment, run.due_at):
        return False
    runs.claim(moment.session, run.job, run.period, now=moment.now)
    return True


def _perform_whole(moment: Moment, run: Run, *, announce_in: str | None) -> None:
    if due.is_step(run):
        _perform_step(moment, run)
    elif run.job == due.GRANTS:
        monthly.run(moment, Month.parse(run.period), announce_in=announce_in, pass_over=True)
    elif run.job == due.LAPSES:
        settling.run(moment, Month.parse(run.period))
    elif run.job == due.REVIEWS:
        drafting.draft(moment, Quarter.parse(run.period))
    elif runs.claim(moment.session, run.job, run.period, now=moment.now):
        _perform_claimed(moment, run)


def _perform_claimed(moment: Moment, run: Run) -> None:
    if run.job == due.EXPIRY:
        lapses.close_ended(moment, run.first_day)
    elif run.job == due.JOINERS:
        monthly.run_joiners(moment, run.first_day)
    elif run.job == due.WEEKLY:
        weekly.owe(moment, Week(run.first_day))
    elif run.job == due.ADDING_UP:
        adding_up.add_up(moment, run.first_day)
    elif run.job == due.CHARGES:
        statements.owe(moment, Month.parse(run.period))
    elif run.job == due.REFUSALS:
        refusal_notes.owe(moment)
    elif run.job == due.MONTHS:
        months_ahead.open_all(moment)
    elif run.job == due.ANCHOR:
        anchors.owe(moment, anchors.MONTH)
    else:
        announcements.announce(moment, run.first_day)


def _perform_step(moment: Moment, run: Run) -> None:
    """Whatever of its subject is due: the step itself looks whether it still is."""
    if due.is_of_gate(run):
        gates_calendar.advance(moment, run.job.removeprefix(due.GATE), run.period)
    elif due.is_of_proposal(run):
        deciding.lapse(moment, run.period)
    elif due.is_of_review(run):
        reviews_calendar.advance(moment, Quarter.parse(run.period))
    elif due.is_of_appeal(run):
        appeals_calendar.advance(moment, run.period)
    elif due.is_of_annual_appeal(run):
        annual_appeals.advance(moment, run.period)
    elif due.is_of_cash(run):
        cash_calendar.advance(moment, run.period)
    else:
        exceptions_calendar.advance(moment, run.period)
    runs.forget_steps(moment.session, run.period)
