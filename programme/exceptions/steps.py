"""When the calendar does what about a request: until it is decided, and before a credit ends."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from policy.hours import last_opening
from policy.period import first_instant
from store import time_zones

if TYPE_CHECKING:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from policy.deadlines import Deadlines
    from policy.handbook import Handbook
    from programme.moment import Moment

STEPS = ("remind", "escalate", "last_call", "lapse")
NOTICE = "notice:"
"""How the steps begin that tell what is left of an exception before it ends."""
NO_STEP: dict[str, object] = {"next_step": None, "next_at": None}


def first_step(steps: Deadlines, now: datetime) -> dict[str, object]:
    """The first thing that the calendar does about an undecided request; what falls on its end is left out."""
    instants = {"remind": steps.remind_at, "escalate": steps.escalate_at, "last_call": steps.last_call_at}
    for name, at in instants.items():
        if now < at < steps.lapse_at:
            return {"next_step": name, "next_at": at}
    return {"next_step": "lapse", "next_at": steps.lapse_at}


def after_credit(moment: Moment, last_day: date | None, time_zone: str) -> dict[str, object]:
    """The first of the steps of a credited request that is still to come; the time zone is its requester's."""
    assert last_day is not None  # noqa: S101 - it is credited
    zone = time_zones.zone(time_zone, moment.zone)
    for step, at in steps_after(last_day, moment.handbook, zone, moment.zone):
        if at > moment.now:
            return {"next_step": step, "next_at": at}
    return NO_STEP


def steps_after(
    last_day: date, book: Handbook, reader_zone: ZoneInfo, programme_zone: ZoneInfo
) -> list[tuple[str, datetime]]:
    """Notices before an exception ends, each when working hours last began before its instant; a question later."""
    end = first_instant(last_day + timedelta(days=1), programme_zone)
    notices = {
        last_opening(end - timedelta(days=days), reader_zone, book.messages): f"{NOTICE}{days}"
        for days in book.exceptions.notice_days
    }
    asked_at = end + timedelta(days=book.exceptions.outcome_days)
    return [*((step, at) for at, step in sorted(notices.items())), ("outcome", asked_at)]
