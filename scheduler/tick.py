"""The tick: whatever the calendar owes is claimed and done, each run in a transaction of its own."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy import rollout
from policy.period import Month, Quarter, Week, day_of
from policy.reasons import Refusal
from programme import handbooks
from programme.appeals import calendar as appeals_calendar
from programme.exceptions import calendar as exceptions_calendar
from programme.grants import lapses, monthly
from programme.handbook import proposals
from programme.reports import weekly
from programme.reviews import calendar as reviews_calendar
from programme.reviews import drafting
from scheduler import due
from scheduler.due import Calendar, Run
from store import runs
from store.appeals import records as appeals_store
from store.exceptions import requests as requests_store
from store.handbook import reference
from store.reviews import votes

if TYPE_CHECKING:
    from datetime import datetime

    from programme.app import Desk
    from store.engine import Session

logger = logging.getLogger(__name__)

BEGINS_ON = "calendar_begins_on"
"""The first day that a calendar was at work here: months before it are no one's debt."""
RUNNING_IN = 1_000
"""Runs of one tick at the most; after a long outage the next tick goes on."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a tick did: the runs that were done, and those that failed, each with its reason."""

    done: tuple[Run, ...]
    failed: tuple[tuple[Run, str], ...]


def owed(session: Session, desk: Desk, now: datetime) -> tuple[Run, ...]:
    """What the calendar owes at an instant: runs of periods, and steps of requests, proposals and reviews."""
    today = day_of(now, desk.zone)
    book = handbooks.load(session).on(today)
    reviews_from = rollout.first_review(book.rollout, book.sizing.history.quiet_quarters)
    begins = reference.fact(session, BEGINS_ON)
    begins_on = type(today).fromisoformat(begins) if begins else today
    calendar = Calendar(book.rollout.launched_on, begins_on, desk.zone, reviews_from)
    periods = due.owed(now, calendar, runs.last_periods(session))
    steps = due.steps(due.REQUEST, requests_store.due(session, now, limit=RUNNING_IN), desk.zone)
    steps += due.steps(due.PROPOSAL, proposals.to_lapse(session, now), desk.zone)
    steps += due.steps(due.REVIEW, votes.due(session, now), desk.zone)
    steps += due.steps(due.APPEAL, appeals_store.due(session, now, limit=RUNNING_IN), desk.zone)
    return due.in_order(*periods, *steps)


def tick(desk: Desk, *, now: datetime, announce_in: str | None = None) -> Ticked:
    """Do everything that is owed, oldest first; a job whose run fails waits for the next tick, the others go on."""
    with desk.reading() as session:
        awaiting = owed(session, desk, now)
        begun = reference.fact(session, BEGINS_ON)
    if begun is None and any(not due.is_step(run) for run in awaiting):
        with desk.transaction() as session:
            reference.record_fact(session, BEGINS_ON, day_of(now, desk.zone).isoformat())
    done: list[Run] = []
    failed: list[tuple[Run, str]] = []
    for run in awaiting[:RUNNING_IN]:
        if not due.is_step(run) and run.job in {one.job for one, _ in failed}:
            continue
        reason = _attempt(desk, run, now=now, announce_in=announce_in)
        if reason is None:
            done.append(run)
        else:
            failed.append((run, reason))
    return Ticked(tuple(done), tuple(failed))


def _attempt(desk: Desk, run: Run, *, now: datetime, announce_in: str | None) -> str | None:
    """Do a run; why it failed, if it did, which is on record then."""
    try:
        with desk.transaction() as session:
            perform(session, run, desk=desk, now=now, announce_in=announce_in)
    except Refusal as refusal:
        reason = str(refusal)
        logger.warning("%s of %s is refused: %s", run.job, run.period, refusal.code)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is on record, and the other jobs go on
        where = "".join(traceback.format_tb(error.__traceback__))
        reason = f"{type(error).__qualname__}; see the log"
        logger.error("%s of %s failed: %s\n%s", run.job, run.period, type(error).__qualname__, where)  # noqa: TRY400
    else:
        return None
    with desk.transaction() as session:
        runs.note_failure(session, run.job, run.period, reason=reason, now=now)
    return reason


def perform(session: Session, run: Run, *, desk: Desk, now: datetime, announce_in: str | None) -> None:
    """Claim a run and do it, in the caller's transaction; nothing when it is done already."""
    if due.is_step(run):
        _perform_step(session, run, desk=desk, now=now)
    elif run.job == due.GRANTS:
        monthly.run(session, Month.parse(run.period), desk=desk, now=now, announce_in=announce_in)
    elif run.job == due.REVIEWS:
        drafting.draft(session, Quarter.parse(run.period), desk=desk, now=now)
    elif runs.claim(session, run.job, run.period, now=now):
        if run.job == due.EXPIRY:
            lapses.close_ended(session, run.first_day, desk=desk, now=now)
        elif run.job == due.JOINERS:
            monthly.run_joiners(session, run.first_day, desk=desk, now=now)
        elif run.job == due.WEEKLY:
            weekly.owe(session, Week(run.first_day), desk=desk, now=now)
        else:
            lapses.announce(session, run.first_day, desk=desk, now=now)


def _perform_step(session: Session, run: Run, *, desk: Desk, now: datetime) -> None:
    """Whatever of its subject is due: the step itself looks whether it still is."""
    if due.is_of_proposal(run):
        proposals.lapse(session, run.period, desk=desk, now=now)
    elif due.is_of_review(run):
        reviews_calendar.advance(session, Quarter.parse(run.period), desk=desk, now=now)
    elif due.is_of_appeal(run):
        appeals_calendar.advance(session, run.period, desk=desk, now=now)
    else:
        exceptions_calendar.advance(session, run.period, desk=desk, now=now)
    runs.forget_steps(session, run.period)
