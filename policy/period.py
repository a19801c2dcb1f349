"""Half-open periods of the programme's calendar: days, weeks, months and quarters in a time zone.

A period knows its local dates; `bounds(zone)` gives its instants in UTC. A day begins at its first instant, also where
a clock change removes or repeats midnight.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

MONTHS_PER_YEAR = 12
MONTHS_PER_QUARTER = 3
DAYS_PER_WEEK = 7
MONDAY_TO_FRIDAY = range(5)


def require_aware(instant: datetime) -> datetime:
    """The instant itself; a naive one is a ValueError, because no one knows when it is."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone")
    return instant


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """When `day` begins in `zone`, in UTC; the earlier midnight where there are two."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """The local date on which an instant falls."""
    return require_aware(instant).astimezone(zone).date()


def is_working_day(day: date, holidays: Sequence[date]) -> bool:
    return day.weekday() in MONDAY_TO_FRIDAY and day not in holidays


class Period(Protocol):
    """What all periods can do."""

    @property
    def first_day(self) -> date: ...
    def next(self) -> Self: ...


class _Dated:
    """Bounds, days and membership, from `first_day` and `next`."""

    __slots__ = ()

    def bounds(self: Period, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The first instant of the period and the first instant after it, in UTC."""
        return first_instant(self.first_day, zone), first_instant(self.next().first_day, zone)

    def days(self: Period) -> Iterator[date]:
        """Every local date of the period, in order."""
        first, end = self.first_day, self.next().first_day
        return (first + timedelta(days=i) for i in range((end - first).days))

    def contains(self: Period, day: date) -> bool:
        return self.first_day <= day < self.next().first_day


@dataclass(frozen=True, order=True, slots=True)
class Month(_Dated):
    """A calendar month, written `2026-11`."""

    year: int
    month: int

    def __post_init__(self) -> None:
        date(self.year, self.month, 1)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def quarter(self) -> Quarter:
        return Quarter(self.year, (self.month - 1) // MONTHS_PER_QUARTER + 1)

    def next(self) -> Month:
        return self.plus(1)

    def previous(self) -> Month:
        return self.plus(-1)

    def plus(self, months: int) -> Month:
        year, month = divmod(self.year * MONTHS_PER_YEAR + self.month - 1 + months, MONTHS_PER_YEAR)
        return Month(year, month + 1)

    @classmethod
    def containing(cls, day: date) -> Month:
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read `2026-11`; anything else is a ValueError that shows it."""
        matched = re.fullmatch(r"([0-9]{4})-([0-9]{2})", text)
        if not matched or not 1 <= int(matched[2]) <= MONTHS_PER_YEAR or not int(matched[1]):
            raise ValueError(f"{text!r} is not a month such as 2026-11")
        return cls(int(matched[1]), int(matched[2]))


@dataclass(frozen=True, order=True, slots=True)
class Quarter(_Dated):
    """A calendar quarter, written `2026-Q4`."""

    year: int
    number: int

    def __post_init__(self) -> None:
        date(self.year, self.number * MONTHS_PER_QUARTER, 1)

    def __str__(self) -> str:
        return f"{self.year:04}-Q{self.number}"

    @property
    def first_month(self) -> Month:
        return Month(self.year, (self.number - 1) * MONTHS_PER_QUARTER + 1)

    @property
    def first_day(self) -> date:
        return self.first_month.first_day

    def next(self) -> Quarter:
        return self.first_month.plus(MONTHS_PER_QUARTER).quarter

    def previous(self) -> Quarter:
        return self.first_month.plus(-MONTHS_PER_QUARTER).quarter

    @classmethod
    def containing(cls, day: date) -> Quarter:
        return Month.containing(day).quarter

    @classmethod
    def parse(cls, text: str) -> Quarter:
        """Read `2026-Q4`; anything else is a ValueError that shows it."""
        matched = re.fullmatch(r"([0-9]{4})-Q([1-4])", text)
        if not matched or not int(matched[1]):
            raise ValueError(f"{text!r} is not a quarter such as 2026-Q4")
        return cls(int(matched[1]), int(matched[2]))


@dataclass(frozen=True, order=True, slots=True)
class Week(_Dated):
    """An ISO week from Monday to Sunday, known by its Monday and written `2026-W48`."""

    first_day: date

    def __post_init__(self) -> None:
        if self.first_day.weekday():
            raise ValueError(f"{self.first_day} is not a Monday")

    def __str__(self) -> str:
        iso = self.first_day.isocalendar()
        return f"{iso.year:04}-W{iso.week:02}"

    def next(self) -> Week:
        return Week(self.first_day + timedelta(days=DAYS_PER_WEEK))

    def previous(self) -> Week:
        return Week(self.first_day - timedelta(days=DAYS_PER_WEEK))

    @classmethod
    def containing(cls, day: date) -> Week:
        return cls(day - timedelta(days=day.weekday()))

    @classmethod
    def parse(cls, text: str) -> Week:
        """Read `2026-W48`; anything else is a ValueError that shows it."""
        wrong = ValueError(f"{text!r} is not a week such as 2026-W48")
        if (matched := re.fullmatch(r"([0-9]{4})-W([0-9]{2})", text)) is None:
            raise wrong
        try:
            return cls(date.fromisocalendar(int(matched[1]), int(matched[2]), 1))
        except ValueError:
            raise wrong from None
