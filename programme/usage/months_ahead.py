"""Room for the events of the months that come: made by the calendar, so that no batch has to."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from policy.period import Month
from store.usage import months

if TYPE_CHECKING:
    from programme.moment import Moment

AHEAD = 2
"""Months after this one that have room: a calendar that stood still for one is not late."""


def wanted(moment: Moment) -> list[int]:
    """The present month and those ahead, such as 202611; they are cut in UTC, as the events' are."""
    some = [Month.containing(moment.now.astimezone(UTC).date())]
    for _ in range(AHEAD):
        some.append(some[-1].next())
    return [month.first_day.year * 100 + month.first_day.month for month in some]


def missing(moment: Moment) -> list[int]:
    return months.missing(moment.session, wanted(moment))


def is_owed(moment: Moment) -> bool:
    return bool(missing(moment))


def open_all(moment: Moment) -> None:
    months.open_all(moment.session, wanted(moment))
