"""When people may be written to: on working days, within hours of their own time, and not a minute earlier."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import handbook
from policy.hours import next_opening

RULES = dataclasses.replace(
    handbook.parse(handbook.packaged()).messages, holidays=(date(2026, 12, 25), date(2027, 1, 1))
)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "America/Santiago")


@pytest.mark.parametrize(
    ("now", "zone", "opening"),
    [
        ("2026-11-20T12:00+00:00", "Europe/Berlin", "2026-11-20T12:00+00:00"),
        ("2026-11-20T05:00+00:00", "Europe/Berlin", "2026-11-20T08:00+00:00"),
        ("2026-11-20T17:00+00:00", "Europe/Berlin", "2026-11-23T08:00+00:00"),
        ("2026-11-20T16:59+00:00", "Europe/Berlin", "2026-11-20T16:59+00:00"),
        ("2026-11-22T12:00+00:00", "America/New_York", "2026-11-23T14:00+00:00"),
        ("2026-12-25T12:00+00:00", "UTC", "2026-12-28T09:00+00:00"),
        ("2026-12-31T23:00+00:00", "Asia/Tokyo", "2027-01-04T00:00+00:00"),
        ("2027-03-26T19:00+00:00", "Europe/Berlin", "2027-03-29T07:00+00:00"),
    ],
)
def test_the_next_opening(now: str, zone: str, opening: str) -> None:
    """At once in working hours; else the next morning at nine, over week-ends, holidays and clock changes."""
    assert next_opening(datetime.fromisoformat(now), ZoneInfo(zone), RULES) == datetime.fromisoformat(opening)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)), st.sampled_from(ZONES))  # noqa: DTZ001 - UTC is added
def test_never_outside_of_hours_nor_later_than_need_be(naive: datetime, zone: str) -> None:
    """The opening is a working hour at or after now, and no working hour lies between."""
    now, local = naive.replace(tzinfo=UTC), ZoneInfo(zone)

    def is_open(instant: datetime) -> bool:
        there = instant.astimezone(local)
        hours = RULES.from_hour <= there.hour < RULES.until_hour
        return hours and there.weekday() < 5 and there.date() not in RULES.holidays

    opening = next_opening(now, local, RULES)
    assert opening >= now
    assert is_open(opening)
    earlier = [now + timedelta(minutes=30) * i for i in range(int((opening - now) / timedelta(minutes=30)))]
    assert not any(is_open(instant) for instant in earlier if instant < opening)
