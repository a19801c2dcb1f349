"""Telling the company's story into a ledger: people, monthly grants, and usage up to now."""

from __future__ import annotations

import io
import json
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from bot import office
from bot.demo import company
from policy.period import Month, day_of, first_instant
from policy.units import MicroTokens
from programme import grants, keys, people, usage
from store import reference

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from programme.desk import Desk

BEGINS_ON = "demo_begins_on"
TOLD_UNTIL = "told-until"
LOT_MONTHS = 3
ACTOR = "demo"


def tell(desk: Desk, folder: Path, *, progress: Callable[[float], None]) -> None:
    """Bring the ledger up to now; what was told before stays. `progress` gets the share that is done."""
    office.migrate(desk)
    now = desk.clock()
    today = day_of(now, desk.zone)
    with desk.transaction() as session:
        people.import_csv(session, io.StringIO(company.people_csv()), actor=ACTOR, now=now, zone=desk.zone)
        first = today - timedelta(days=7 * company.WEEKS)
        reference.record_fact(session, BEGINS_ON, first.isoformat())
        begins = date.fromisoformat(reference.fact(session, BEGINS_ON) or "")
    # The last day that was told may have been told in part; telling it again changes nothing.
    told = folder / TOLD_UNTIL
    start = date.fromisoformat(told.read_text()) if told.exists() else begins
    days = [start + timedelta(days=i) for i in range((today - start).days + 1)]
    for number, day in enumerate(days, start=1):
        if day == begins or day.day == 1:
            _grant(desk, day, first=day == begins)
        _use(desk, day, now)
        told.write_text(day.isoformat())
        progress(number / len(days))


def _grant(desk: Desk, day: date, *, first: bool) -> None:
    """Everybody's lot of the month, by level; Jonas has been given little and uses much."""
    month = Month.containing(day)
    begins = first_instant(day, desk.zone)
    expires_at = first_instant(month.plus(LOT_MONTHS + first).first_day, desk.zone)
    with desk.transaction() as session:
        for person in company.EMPLOYEES:
            amount = company.MONTHLY_TOKENS[person.level] // (4 if person.handle == "jonas" else 1)
            grants.give(
                session,
                email=person.email,
                amount=MicroTokens.parse(str(amount)),
                reason="Pilot grant" if first else f"Grant for {day:%B}",
                expires_at=expires_at,
                actor=ACTOR,
                now=begins,
                key=f"demo:{month}:{'pilot' if first else 'month'}:{person.handle}",
            )


def _use(desk: Desk, day: date, now: datetime) -> None:
    events = sorted(company.events_of(day, now), key=lambda event: event.occurred_at)
    posted_at = min(now, first_instant(day + timedelta(days=1), desk.zone))
    with desk.transaction() as session:
        usage.take_in(session, events, desk=desk, now=posted_at)


def gateway_key(desk: Desk, folder: Path) -> str:
    """The key of the demo's gateway: created at the first start, kept beside the ledger for the next ones."""
    path = folder / "gateway-key.json"
    if not path.exists():
        with desk.transaction() as session:
            key = keys.create(
                session, name="demo", source="demo", scopes=["usage:write"], actor=ACTOR, now=desk.clock()
            )  # fmt: skip
        path.touch(mode=0o600)
        path.write_text(json.dumps({"secret": key.secret}))
    secret: str = json.loads(path.read_text())["secret"]
    return secret
