"""Public holidays of where people are, by the handbook's calendars; the library is imported where one is asked for."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from store import time_zones

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from policy.handbook import Handbook
    from policy.parameters.messages import Calendar, MessageRules


ANY_YEAR = 2026


def known_to(book: Handbook) -> Handbook:
    """The handbook, whose rules of messages know the holidays of its calendars."""
    rules = book.messages
    if not rules.calendars:
        return book
    calendar_of = {calendar.zone: calendar for calendar in rules.calendars}

    def is_public_holiday(zone: str, day: date) -> bool:
        calendar = calendar_of.get(zone)
        return calendar is not None and day in _days(calendar, day.year)

    return replace(book, messages=replace(rules, is_public_holiday=is_public_holiday))


@lru_cache(maxsize=256)
def _days(calendar: Calendar, year: int) -> frozenset[date]:
    """The public holidays of a year; NotImplementedError for a country or a part of it that is not known."""
    from holidays import country_holidays  # noqa: PLC0415 - takes a fifth of a second, and few handbooks need it

    return frozenset(country_holidays(calendar.country, subdiv=calendar.subdivision or None, years=year))


def problems(rules: MessageRules) -> Iterator[str]:
    """What is wrong with the calendars of a handbook that is to be applied."""
    for number, calendar in enumerate(rules.calendars, start=1):
        where = f"messages.calendars[{number}]"
        if time_zones.known(calendar.zone) is None:
            yield f"{where}.zone = {calendar.zone!r}: expected a time zone such as Europe/Berlin"
        try:
            _days(calendar, ANY_YEAR)
        except NotImplementedError as error:
            yield f"{where}: {error}; expected codes of ISO 3166, such as country = 'DE', subdivision = 'BE'"
