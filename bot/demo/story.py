"""Telling the company's story into a ledger: its people and rules, then day after day of usage, grants and messages."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from bot import wiring
from bot.demo import company, exceptions, finance, review, year
from handlers.slack import board_group
from policy.period import Month, Week, day_of, first_instant
from programme.outcomes import intake as outcomes_intake
from programme.people import cost_centres, directory, terms
from programme.usage import intake as usage_intake
from programme.usage import keys
from scheduler import courier, tick, ticker
from store.handbook import reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from slack_sdk import WebClient

    from bot.demo.clock import DemoClock
    from programme.app import App

TOLD_UNTIL = "told-until"
ACTOR = "demo"
HOURS_BETWEEN_LOOKS, AT_WEEKENDS = 3, 12
"""The courier looks as often, so that people find their messages in their own morning; little happens at weekends."""
EVENING = time(17, 30)
MOST_AT_ONCE = 50
FRIDAY = 4
"""On Fridays the teams' tracker tells what came of the week."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Lets the company live: `folder` keeps how far its story is told."""

    app: App
    clock: DemoClock
    slack: WebClient
    folder: Path
    courier: str

    def prepare(self) -> None:
        """The company as it was when its story begins: people, pay bands, projects, budget and a launched programme."""
        self._prepare()
        board_group.refresh(self.app, self.slack)

    def _prepare(self) -> None:
        now = self.clock()
        begins = day_of(now, self.app.zone) - timedelta(days=7 * company.WEEKS)
        wiring.migrate(self.app, handbook=company.handbook_text(begins))
        with self.app.transaction(now) as moment:
            directory.import_csv(moment, io.StringIO(company.people_csv()), actor=ACTOR)
            if reference.fact(moment.session, company.BEGINS_ON) is not None:
                return
            reference.record_fact(moment.session, company.BEGINS_ON, begins.isoformat())
            reference.record_fact(moment.session, tick.BEGINS_ON, begins.isoformat())
            for band, midpoint in company.BANDS.items():
                terms.set_band(moment, band, midpoint, holds_from=date(2019, 1, 1), actor=ACTOR)
            projects = io.StringIO(company.projects_csv())
            terms.import_projects(moment, projects, today=date(2019, 1, 1), actor=ACTOR)
            terms.set_budget(moment, Month.containing(begins), company.BUDGET, actor=ACTOR)
            for name, email in company.logins():
                directory.map_identity(
                    moment, source=company.TRACKER, kind="user", value=name, email=email, actor=ACTOR
                )
        with self.app.transaction(first_instant(begins, self.app.zone)) as moment:
            # What somebody belongs to first holds from the first of that month.
            cost_centres.import_csv(moment, io.StringIO(company.centres_csv()), actor=ACTOR)
            directory.import_csv(moment, io.StringIO(company.belonging_csv()), actor=ACTOR)

    def tell(self, until: datetime, *, progress: Callable[[date, float], None]) -> int:
        """Live through everything up to an instant; `progress` gets the day and the share that is done.

        How many messages were delivered. What was told before stays; time goes on from `until`.
        """
        start, last = self._told(), day_of(until, self.app.zone)
        days = [start + timedelta(days=i) for i in range((last - start).days + 1)]
        delivered = 0
        for number, day in enumerate(days, start=1):
            for instant in self._looks(day, until):
                self.clock.hold(instant)
                delivered += self._look(instant)
            end = min(first_instant(day + timedelta(days=1), self.app.zone), until)
            self.clock.hold(end)
            self._use(day, end)
            (self.folder / TOLD_UNTIL).write_text(day.isoformat())
            progress(day, number / len(days))
        delivered += self._look(until)
        self.clock.go_on()
        return delivered

    def _told(self) -> date:
        """The last day that was told, which may have been told in part: telling it again changes nothing."""
        path = self.folder / TOLD_UNTIL
        if path.exists():
            return date.fromisoformat(path.read_text())
        with self.app.database.reading() as session:
            return date.fromisoformat(reference.fact(session, company.BEGINS_ON) or "")

    def _looks(self, day: date, until: datetime) -> Iterator[datetime]:
        instant = first_instant(day, self.app.zone)
        end = min(first_instant(day + timedelta(days=1), self.app.zone), until)
        hours = HOURS_BETWEEN_LOOKS if day.weekday() in company.MONDAY_TO_FRIDAY else AT_WEEKENDS
        while instant < end:
            yield instant
            instant += timedelta(hours=hours)

    def _look(self, instant: datetime) -> int:
        """Do what the calendar owes at an instant, and deliver what is due then."""
        tick.tick(self.app, now=instant, announce_in=company.ANNOUNCE_IN)
        exceptions.happen(self.app, instant)
        review.happen(self.app, instant)
        year.happen(self.app, instant)
        finance.happen(self.app, instant, self.folder)
        delivered = 0
        while (done := courier.deliver(self.app, self.slack, courier=self.courier, most=MOST_AT_ONCE)).sent:
            delivered += done.sent
        return delivered

    def _use(self, day: date, until: datetime) -> None:
        events = sorted(company.events_of(day, until), key=lambda event: event.occurred_at)
        with self.app.transaction(until) as moment:
            usage_intake.take_in(moment, events)
            if day.weekday() == FRIDAY:
                monday = Week.containing(day).first_day
                week = [one for i in range(FRIDAY + 1) for one in company.outcomes_of(monday + timedelta(i), until)]
                outcomes_intake.take_in(moment, week)
        ticker.warn(self.app)


def target(name: str, today: date) -> date:
    """The day to which a button of the calendar leads."""
    month = Month.containing(today)
    return {
        "day": today + timedelta(days=1),
        "monday": Week.containing(today).next().first_day,
        "month": month.next().first_day,
        "quarter": month.quarter.next().first_day,
    }[name]


def evening(day: date, app: App) -> datetime:
    """Late enough on a day that nearly everyone has had their morning."""
    return datetime.combine(day, EVENING, tzinfo=app.zone).astimezone(UTC)


def gateway_key(
    app: App, folder: Path, *, name: str = "gateway", source: str = "demo", scopes: Sequence[str] = ("usage:write",)
) -> str:
    """The key of one of the demo's gateways: created at the first start, kept beside the ledger for the next ones."""
    path = folder / f"{name}-key.json"
    if not path.exists():
        with app.transaction() as moment:
            key = keys.create(moment, name=source, source=source, scopes=scopes, actor=ACTOR)
        path.touch(mode=0o600)
        path.write_text(json.dumps({"secret": key.secret}))
    secret: str = json.loads(path.read_text())["secret"]
    return secret
