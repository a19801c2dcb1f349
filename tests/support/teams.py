"""A team that is large enough to be told of, and short ways to let it spend."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from policy.period import Week, day_of
from programme.reports.team import team_report
from programme.usage import intake
from tests.support import cast
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from policy.metering import UsageEvent
    from programme.app import App
    from views.reports import TeamReport

MARA, DANA = "mara@example.com", "dana@example.com"
KIM, LOU, MAX, NED, OLA, PIA = (f"{name}@example.com" for name in ("kim", "lou", "max", "ned", "ola", "pia"))
TEAM = (ADA, BEN, KIM, LOU, MAX, NED, OLA)
"""Mara's reports once she has hired."""
HEADER = "email,name,slack_user_id,manager_email,level,role_family,pay_band,fte,time_zone,hired_on,left_on,wave,roles\n"


def person(email: str, manager: str = MARA, *, zone: str = "Europe/Berlin", hired_on: str = "2024-01-01") -> str:
    """A line of a file of people."""
    name = email.partition("@")[0]
    return f"{email},{name.title()} Example,U0{name.upper()},{manager},senior,engineering,P3,1,{zone},{hired_on},,1,\n"


def hire(app: App, *people: str) -> None:
    cast.hire(app, HEADER + "".join(people))


def hire_team(app: App) -> None:
    """Five more people for Mara: seven with Ada and Ben."""
    hire(app, *(person(email) for email in TEAM[2:]))


def move(app: App, email: str, manager: str) -> None:
    """Someone reports to someone else from today on; `-` is no one."""
    cast.hire(app, f"email,manager_email\n{email},{manager}\n")


def leave(app: App, email: str, last_day: date) -> None:
    cast.hire(app, f"email,left_on\n{email},{last_day}\n")


def used(day: date, who: str, tokens: int, *, model: tuple[str, str] = cast.SONNET) -> UsageEvent:
    """Use at noon of a day that costs so many tokens, a hair less; with another model, what as much output costs."""
    at = datetime.combine(day, time(12), UTC)
    return cast.event(f"{who}-{day}-{model[1]}", at=at, who=who, model=model, meters={"output": tokens * 2_000 // 3})


def take_in(app: App, events: Sequence[UsageEvent]) -> None:
    with app.transaction(max([app.clock(), *(event.occurred_at for event in events)])) as moment:
        outcomes = intake.take_in(moment, events)
    assert {outcome.status for outcome in outcomes} <= {"accepted", "duplicate"}


def work(app: App, a_day: Mapping[str, int], *, weeks: int = 12, model: tuple[str, str] = cast.SONNET) -> None:
    """Everyone spends so many tokens on each working day of so many weeks up to yesterday."""
    today = day_of(app.clock(), app.zone)
    first = Week.containing(today).first_day - timedelta(days=7 * (weeks - 1))
    days = [first + timedelta(days=i) for i in range((today - first).days)]
    working = [day for day in days if day.weekday() < 5]
    take_in(app, [used(day, who, tokens, model=model) for day in working for who, tokens in a_day.items() if tokens])


def report(app: App, manager: str = MARA) -> TeamReport:
    found = report_or_none(app, manager)
    assert found is not None
    return found


def report_or_none(app: App, manager: str = MARA) -> TeamReport | None:
    person_id = cast.person_id(app, manager)
    with app.reading() as moment:
        return team_report(moment, person_id)
