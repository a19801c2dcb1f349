"""The caps as they hold today: those of the handbook, with what the board decided about the month's cash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import cash
from policy.period import Month, first_instant
from store.exceptions import requests
from store.holds import cash as store

if TYPE_CHECKING:
    from datetime import date, datetime

    from policy.parameters.holds import CapRule
    from programme.moment import Moment


def caps(moment: Moment) -> tuple[CapRule, ...]:
    """In the handbook's order; nothing is asked of the database where it has no cash cap."""
    found = moment.handbook.caps
    if not any(cash.is_cash(cap) for cap in found):
        return found
    rulings = store.rulings(moment.session, Month.containing(moment.today).first_day)
    return tuple(
        cash.as_ruled(cap, rulings.get((cap.name, int(cap.usd)))) if cash.is_cash(cap) else cap for cap in found
    )


def lifted(moment: Moment, person_id: str, since: date) -> list[tuple[datetime, int]]:
    """(when, micro-tokens) of what the board, or break-glass, credited to someone: it lifts their own caps as well."""
    return requests.credited_since(moment.session, person_id, first_instant(since, moment.zone))


def passes_cash(moment: Moment, person_id: str) -> bool:
    """Whether someone's calls go on when the programme's cash is used up: they are at work on an incident."""
    return requests.has_break_glass(moment.session, person_id, moment.now)
