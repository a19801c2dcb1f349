"""Business time: what counts towards a deadline, and what does not."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.business_time import BusinessHours, Span

BERLIN = ZoneInfo("Europe/Berlin")
HOURS = BusinessHours(9, 17, (date(2026, 12, 25), date(2027, 1, 1)), BERLIN)


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        ("2026-11-24T10:00", "4 business hours", "2026-11-24T14:00"),
        ("2026-11-24T15:00", "4 business hours", "2026-11-25T11:00"),
        ("2026-11-27T15:00", "1 business day", "2026-11-30T15:00"),
        ("2026-11-28T11:00", "1 business day", "2026-11-30T17:00"),
        ("2026-11-24T06:00", "1 business hour", "2026-11-24T10:00"),
        ("2026-11-24T20:00", "1 business hour", "2026-11-25T10:00"),
        ("2026-12-24T16:00", "8 business hours", "2026-12-28T16:00"),
        ("2026-11-24T10:00", "24 business hours", "2026-11-27T10:00"),
        ("2026-11-27T22:00", "2 days", "2026-11-29T22:00"),
    ],
)
def test_deadlines(start: str, span: str, end: str) -> None:
    """Evenings, weekends and holidays do not count; a business day ends at the hour at which it began."""
    assert HOURS.after(berlin(start), Span.parse(span)) == berlin(end)


@pytest.mark.parametrize(
    "text", ["", "4", "0 hours", "4 weeks", "business hours", "-1 days", "1.5 days", "4 businesshours"]
)
def test_other_lengths_are_refused(text: str) -> None:
    """A length of time is a whole number of hours or days, business ones or not."""
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        Span.parse(text)


@pytest.mark.parametrize("text", ["4 business hours", "1 business day", "2 days", "1 hour"])
def test_a_length_is_written_as_it_is_read(text: str) -> None:
    """What a handbook says is what a message says."""
    assert str(Span.parse(text)) == text


instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "UTC"])


@given(start=instants, hours=st.integers(1, 80), zone=zones)
def test_the_time_between_is_the_time_that_was_added(start: datetime, hours: int, zone: str) -> None:
    """As much business time lies before a deadline as was given, in every zone, across changes of the clocks."""
    calendar = BusinessHours(9, 17, (date(2026, 12, 25),), ZoneInfo(zone))
    end = calendar.later(start, timedelta(hours=hours))
    assert calendar.between(start, end) == timedelta(hours=hours)
    local = end.astimezone(ZoneInfo(zone))
    assert local.weekday() < 5
    assert local.date() != date(2026, 12, 25)
    assert (9, 0) < (local.hour, local.minute) <= (17, 0) or local.hour == 9


@given(start=instants, later=st.timedeltas(timedelta(0), timedelta(days=9)), hours=st.integers(1, 60))
def test_who_asks_later_has_no_earlier_deadline(start: datetime, later: timedelta, hours: int) -> None:
    """Deadlines keep the order of their requests."""
    length = timedelta(hours=hours)
    assert HOURS.later(start, length) <= HOURS.later(start + later, length)
