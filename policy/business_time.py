"""Deadlines in business time: hours that count only on working days, between two hours of the programme's zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from policy.period import is_working_day, require_aware

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

_SPAN = re.compile(r"([1-9]\d{0,2}) (business )?(hour|day)s?")


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time as a handbook writes it: `4 business hours`, `2 business days`, `2 days`.

    A business day is as many business hours as a day has, so that it ends at the hour at which it began.
    """

    count: int
    unit: str
    is_business: bool

    def __str__(self) -> str:
        plural = "" if self.count == 1 else "s"
        return f"{self.count} {'business ' if self.is_business else ''}{self.unit}{plural}"

    def hours(self, a_day: int) -> int:
        """How many hours it has, of which a business day has so many."""
        return self.count * {"hour": 1, "day": a_day if self.is_business else 24}[self.unit]

    @classmethod
    def parse(cls, text: str) -> Span:
        """The span that a text names; ValueError for any other text."""
        if not (found := _SPAN.fullmatch(text)):
            raise ValueError(text)
        return cls(int(found[1]), found[3], found[2] is not None)


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """When business time runs: from one hour to another, Monday to Friday, but not on holidays."""

    from_hour: int
    until_hour: int
    holidays: Sequence[date]
    zone: ZoneInfo

    @property
    def a_day(self) -> timedelta:
        return timedelta(hours=self.until_hour - self.from_hour)

    def after(self, start: datetime, span: Span) -> datetime:
        """The instant a span after another, in UTC."""
        if not span.is_business:
            return require_aware(start).astimezone(UTC) + timedelta(**{f"{span.unit}s": span.count})
        return self.later(start, span.count * (timedelta(hours=1) if span.unit == "hour" else self.a_day))

    def later(self, start: datetime, length: timedelta) -> datetime:
        """The instant at which so much business time has passed since `start`, in UTC."""
        day = require_aware(start).astimezone(self.zone).date()
        while True:
            begin, end = self._open(day)
            begin = max(begin, start)
            if is_working_day(day, self.holidays) and begin < end:
                if length <= end - begin:
                    return (begin + length).astimezone(UTC)
                length -= end - begin
            day += timedelta(days=1)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The business time from one instant to a later one."""
        passed = timedelta(0)
        day, last = (require_aware(at).astimezone(self.zone).date() for at in (start, end))
        while day <= last:
            opens, closes = self._open(day)
            if is_working_day(day, self.holidays):
                passed += max(min(closes, end) - max(opens, start), timedelta(0))
            day += timedelta(days=1)
        return passed

    def _open(self, day: date) -> tuple[datetime, datetime]:
        # In UTC: the difference of two local times would leave out a change of the clocks.
        return (
            datetime.combine(day, time(self.from_hour), tzinfo=self.zone).astimezone(UTC),
            datetime.combine(day, time(), tzinfo=self.zone).replace(hour=self.until_hour).astimezone(UTC),
        )
