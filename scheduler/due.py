"""What the calendar owes: from now, the handbook and what has run, which runs, in which order. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from policy.period import Month, Quarter, Week, day_of, first_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from zoneinfo import ZoneInfo

EXPIRY, GRANTS, JOINERS, NOTICES, WEEKLY = "expiry", "grants", "joiners", "notices", "weekly"
LAPSES = "lapses"
ADDING_UP, CHARGES = "adding_up", "charges"
"""Once a month's figures are final its days are added up for good, and owners of cost centres are told of it."""
RUNNING_DAYS = "running_days"
"""Days of months that run are added up each night, in batches, whether or not the programme has begun."""
REVIEWS = "reviews"
REFUSALS = "refusals"
"""A note of refused usage, on days on which there is one to write, whether or not the programme has begun."""
ANCHOR = "anchor"
"""The audit log's hash, once a month, whether or not the programme has begun."""
MONTHS = "months"
"""Room for the events of months to come, where a database keeps each month by itself."""
RETENTION = "retention"
"""What is held about people for a time only, once a month, in batches of which a tick does some."""
DAILY = (EXPIRY, JOINERS, NOTICES)
MORNING_HOUR = 9
GATE = "gate."
"""Steps of the gates between phases come before the grants of the month: what stands still gets none."""
GATE_PAUSE, GATE_ASK, GATE_OPEN = f"{GATE}pause", f"{GATE}ask", f"{GATE}open"
ORDER = {
    GATE_PAUSE: -1,
    GATE_ASK: -1,
    GATE_OPEN: -1,
    EXPIRY: 0,
    GRANTS: 1,
    LAPSES: 2,
    JOINERS: 3,
    NOTICES: 4,
    WEEKLY: 5,
    REVIEWS: 6,
    ADDING_UP: 7,
    CHARGES: 8,
}
"""Of one instant: what has ended is closed before new grants are sized, and what lapses next is announced last."""

WAITS_FOR = {LAPSES: GRANTS, GRANTS: GATE_PAUSE}
"""A job that has nothing to do before another has run: what may be carried over follows from the grants, and who gets
any from whether the roll-out stands still."""


@dataclass(frozen=True, slots=True)
class Run:
    """One piece of work for one period; `first_day` is the period's, `due_at` when it begins to be owed."""

    job: str
    period: str
    first_day: date
    due_at: datetime


REQUEST, PROPOSAL, REVIEW, APPEAL, CASH = "request.", "proposal.", "review.", "appeal.", "cash."
ANNUAL_APPEAL = "annual_appeal."
"""Steps of whatever is decided are runs too, of requests, say, or cash caps: the period is the one whose step it is."""


def is_step(run: Run) -> bool:
    return run.job.startswith((REQUEST, PROPOSAL, REVIEW, APPEAL, ANNUAL_APPEAL, GATE, CASH))


def is_of_gate(run: Run) -> bool:
    return run.job.startswith(GATE)


def is_of_proposal(run: Run) -> bool:
    return run.job.startswith(PROPOSAL)


def is_of_review(run: Run) -> bool:
    return run.job.startswith(REVIEW)


def is_of_appeal(run: Run) -> bool:
    return run.job.startswith(APPEAL)


def is_of_annual_appeal(run: Run) -> bool:
    return run.job.startswith(ANNUAL_APPEAL)


def is_of_cash(run: Run) -> bool:
    return run.job.startswith(CASH)


def steps(kind: str, due: Iterable[tuple[str, str, datetime]], zone: ZoneInfo) -> list[Run]:
    """Runs for (what it is about, step, instant)."""
    return [Run(f"{kind}{step}", about, day_of(at, zone), at) for about, step, at in due]


def refusals(now: datetime, zone: ZoneInfo) -> Run:
    """The note of the days before today."""
    today = day_of(now, zone)
    return Run(REFUSALS, today.isoformat(), today, first_instant(today, zone))


def monthly(job: str, now: datetime, zone: ZoneInfo) -> Run:
    """A job's run of this month; it does what those of earlier months would have, as far as that can be done yet."""
    month = Month.containing(day_of(now, zone))
    return Run(job, str(month), month.first_day, first_instant(month.first_day, zone))


def running_days(now: datetime, zone: ZoneInfo) -> Run:
    """The one of today: it adds up what those of earlier days would have."""
    today = day_of(now, zone)
    return Run(RUNNING_DAYS, today.isoformat(), today, first_instant(today, zone))


def in_order(*runs: Run) -> tuple[Run, ...]:
    """Runs in the order of their instants."""
    return tuple(sorted(runs, key=lambda run: (run.due_at, ORDER.get(run.job, len(ORDER)))))


@dataclass(frozen=True, slots=True)
class Calendar:
    """From when the calendar counts. `launched_on` is None while there is no programme to run.

    `reviews_from` is the first quarter that is reviewed once it is over; None where there is none yet. What lapses on a
    first is taken `settle_days` later; a month's charges are final `charges_days` after its last day.
    """

    launched_on: date | None
    begins_on: date
    zone: ZoneInfo
    reviews_from: Quarter | None = None
    settle_days: int = 0
    charges_days: int = 0


def owed(now: datetime, calendar: Calendar, done: Mapping[str, str]) -> tuple[Run, ...]:
    """Every run that is due and not done, oldest first; `done` has the last period of each job that ran.

    Periods of a job run in order and without gaps: late rather than never.
    """
    if calendar.launched_on is None:
        return ()
    today = day_of(now, calendar.zone)
    runs = [*_months(GRANTS, today, calendar, done.get(GRANTS))]
    runs += _months(LAPSES, today, calendar, done.get(LAPSES), after=calendar.settle_days)
    for job in DAILY:
        runs += _days(job, today, calendar, done.get(job))
    runs += _weeks(now, calendar, done.get(WEEKLY))
    runs += _reviews(now, calendar, done.get(REVIEWS))
    runs += _added_up(now, calendar, done.get(ADDING_UP))
    runs += _charges(today, calendar, done.get(CHARGES))
    return tuple(sorted(runs, key=lambda run: (run.due_at, ORDER[run.job])))


def _weeks(now: datetime, calendar: Calendar, last: str | None) -> Iterator[Run]:
    """From the first Monday after the start on: on that day itself there is nothing to report."""
    week = Week.parse(last).next() if last else Week.containing(_start(calendar)).next()
    while (due_at := first_instant(week.first_day, calendar.zone)) <= now:
        yield Run(WEEKLY, str(week), week.first_day, due_at)
        week = week.next()


def _reviews(now: datetime, calendar: Calendar, last: str | None) -> Iterator[Run]:
    """A quarter's is owed from the first morning after it, also of a holiday: it is read on the first working day.

    The first is that of the first quarter to end once the calendar is at work.
    """
    if calendar.reviews_from is None:
        return
    ending = Quarter.containing(calendar.begins_on)
    if calendar.begins_on == ending.first_day:
        ending = ending.previous()
    quarter = Quarter.parse(last).next() if last else max(calendar.reviews_from, ending)
    while (due_at := _morning(quarter.next().first_day, calendar.zone)) <= now:
        yield Run(REVIEWS, str(quarter), quarter.first_day, due_at)
        quarter = quarter.next()


def _morning(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(MORNING_HOUR), tzinfo=zone).astimezone(UTC)


def _months(job: str, today: date, calendar: Calendar, last: str | None, *, after: int = 0) -> Iterator[Run]:
    """Every month, so many days after its first."""
    month = Month.parse(last).next() if last else Month.containing(_start(calendar))
    while (day := month.first_day + timedelta(days=after)) <= today:
        yield Run(job, str(month), month.first_day, first_instant(day, calendar.zone))
        month = month.next()


def _added_up(now: datetime, calendar: Calendar, last: str | None) -> Iterator[Run]:
    """Every day, an hour after the figures of its month are final: whatever was under way then is posted."""
    begun = Month.containing(_start(calendar)).first_day
    day = date.fromisoformat(last) + timedelta(days=1) if last else begun
    while True:
        settled = Month.containing(day).next().first_day + timedelta(days=calendar.charges_days)
        due_at = first_instant(settled, calendar.zone) + timedelta(hours=1)
        if due_at > now:
            return
        yield Run(ADDING_UP, day.isoformat(), day, due_at)
        day += timedelta(days=1)


def _charges(today: date, calendar: Calendar, last: str | None) -> Iterator[Run]:
    """Every month, once its figures are final; the first is the one in which the calendar began."""
    month = Month.parse(last).next() if last else Month.containing(_start(calendar))
    while (day := month.next().first_day + timedelta(days=calendar.charges_days)) <= today:
        yield Run(CHARGES, str(month), month.first_day, first_instant(day, calendar.zone))
        month = month.next()


def _days(job: str, today: date, calendar: Calendar, last: str | None) -> Iterator[Run]:
    day = type(today).fromisoformat(last) + timedelta(days=1) if last else _start(calendar)
    while day <= today:
        yield Run(job, day.isoformat(), day, first_instant(day, calendar.zone))
        day += timedelta(days=1)


def _start(calendar: Calendar) -> date:
    assert calendar.launched_on is not None  # noqa: S101 - asked before
    return max(calendar.launched_on, calendar.begins_on)
