"""When a request for an exception reminds, escalates and lapses. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.business_time import BusinessHours
from policy.exceptions import BREAK_GLASS, FAST, MAJOR, STANDARD

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from policy.handbook import Handbook
    from policy.parameters.exceptions import ExceptionRules


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When a request reminds, calls in alternates, calls in the chair plus finance, and lapses."""

    remind_at: datetime
    escalate_at: datetime
    last_call_at: datetime
    lapse_at: datetime


def business_hours(book: Handbook, zone: ZoneInfo) -> BusinessHours:
    return BusinessHours(book.exceptions.from_hour, book.exceptions.until_hour, book.messages.holidays, zone)


def deadlines(class_: str, made_at: datetime, rules: ExceptionRules, hours: BusinessHours) -> Deadlines:
    """The instants of a request that was made at an instant.

    The chair plus finance are called in when half of the time between the escalation and the end is over. A break-glass
    goes on at any hour: its steps come when a quarter, a half and three quarters of its time are over.
    """
    if class_ == BREAK_GLASS:
        lapse = hours.after(made_at, rules.break_glass.ratify)
        quarter = (lapse - made_at) / 4
        return Deadlines(made_at + quarter, made_at + 2 * quarter, made_at + 3 * quarter, lapse)
    schedule = {FAST: rules.fast, STANDARD: rules.standard, MAJOR: rules.major}[class_]
    lapse = hours.after(made_at, schedule.lapse)
    remind, escalate = hours.after(made_at, schedule.remind), hours.after(made_at, schedule.escalate)
    last_call = _halfway(escalate, lapse, hours) if schedule.lapse.is_business else escalate + (lapse - escalate) / 2
    return Deadlines(remind, escalate, last_call, lapse)


def _halfway(begin: datetime, end: datetime, hours: BusinessHours) -> datetime:
    return hours.later(begin, hours.between(begin, end) / 2)
