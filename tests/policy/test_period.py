"""Periods tile the time line of every zone: no instant belongs to two, none to no one."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.period import Month, Quarter, Week, day_of, first_instant, require_aware
from tests.support import depth

on_any_machine = settings(max_examples=depth.examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])

MICROSECOND = timedelta(microseconds=1)
ONE_DAY = timedelta(days=1)
SKIPPED_IN_APIA = date(2011, 12, 30)

ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Asia/Kolkata",  # half an hour, no clock changes
        "America/New_York",
        "Europe/Berlin",
        "America/Sao_Paulo",  # midnight itself is skipped and repeated, until 2019
        "Asia/Beirut",  # midnight is skipped
        "Africa/Cairo",  # midnight is skipped; 23:00 is repeated
        "Atlantic/Azores",  # midnight is skipped and repeated
        "Australia/Lord_Howe",  # changes by half an hour
        "Pacific/Apia",  # one day did not exist
    )
]

zones = st.sampled_from(ZONES)
days = st.dates(date(1995, 1, 2), date(2045, 12, 31))
months = st.builds(Month, st.integers(2, 9998), st.integers(1, 12))
quarters = st.builds(Quarter, st.integers(2, 9998), st.integers(1, 4))
weeks = st.dates(date(2, 1, 1), date(9998, 12, 1)).map(Week.containing)
instants = st.datetimes(datetime(1995, 1, 2), datetime(2045, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds of a strategy are naive


def clock_changes(zone: ZoneInfo) -> list[date]:
    """The days from 1995 to 2037 by whose end the zone's offset has changed."""
    middays = (datetime(1995, 1, 1, 12, tzinfo=zone) + timedelta(days=i) for i in range(43 * 365))
    return [after.date() for before, after in itertools.pairwise(middays) if before.utcoffset() != after.utcoffset()]


CLOCK_CHANGES = [(zone, day) for zone in ZONES for day in clock_changes(zone)]
near_clock_changes = st.builds(
    lambda change, offset: (change[0], first_instant(change[1], change[0]) + offset),
    st.sampled_from(CLOCK_CHANGES),
    st.timedeltas(timedelta(hours=-36), timedelta(hours=36)),
)
zones_and_instants = st.one_of(st.tuples(zones, instants), near_clock_changes)


def test_the_zones_change_their_clocks() -> None:
    """The zones below cover what this file is about: hundreds of clock changes, some on midnight."""
    assert len(CLOCK_CHANGES) > 400
    begin_late = {zone.key for zone, day in CLOCK_CHANGES if first_instant(day, zone).astimezone(zone).hour}
    assert begin_late >= {"Asia/Beirut", "Africa/Cairo", "Atlantic/Azores", "America/Sao_Paulo"}


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_days_tile_the_time_line(zone: ZoneInfo) -> None:
    """From 1995 to 2045 every day begins in itself, and the instant before it belongs to the day before."""
    day, end = date(1995, 1, 2), date(2045, 12, 31)
    while day < end:
        begin = first_instant(day, zone)
        if (zone.key, day) != ("Pacific/Apia", SKIPPED_IN_APIA):
            assert day_of(begin, zone) == day
            assert day_of(begin - MICROSECOND, zone) < day
            assert timedelta(hours=22) < first_instant(day + ONE_DAY, zone) - begin < timedelta(hours=26)
        day += ONE_DAY


def test_a_day_that_did_not_exist_is_empty() -> None:
    """Samoa went from 29 to 31 December 2011: the 30th begins and ends where the 31st begins."""
    apia = ZoneInfo("Pacific/Apia")
    midnight = datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert first_instant(SKIPPED_IN_APIA, apia) == first_instant(date(2011, 12, 31), apia) == midnight
    assert day_of(midnight, apia) == date(2011, 12, 31)
    assert day_of(midnight - MICROSECOND, apia) == date(2011, 12, 29)


@on_any_machine
@given(zones_and_instants)
def test_an_instant_lies_within_its_own_day(case: tuple[ZoneInfo, datetime]) -> None:
    """The day of an instant is the one whose half-open bounds hold it, and no other."""
    zone, instant = case
    day = day_of(instant, zone)
    assert first_instant(day, zone) <= instant < first_instant(day + ONE_DAY, zone)


@on_any_machine
@given(zones_and_instants, st.sampled_from([Week, Month, Quarter]))
def test_an_instant_lies_within_exactly_one_period(
    case: tuple[ZoneInfo, datetime], kind: type[Week | Month | Quarter]
) -> None:
    """The period that contains an instant's day holds the instant; its neighbours do not."""
    zone, instant = case
    period = kind.containing(day_of(instant, zone))
    begin, end = period.bounds(zone)
    assert begin <= instant < end
    assert period.previous().bounds(zone)[1] == begin
    assert period.next().bounds(zone)[0] == end


@on_any_machine
@given(st.one_of(months, quarters, weeks))
def test_periods_follow_each_other_without_gap(period: Week | Month | Quarter) -> None:
    """A period's days begin on its first day and end on the eve of the next period's."""
    listed = list(period.days())
    assert listed[0] == period.first_day
    assert listed[-1] + ONE_DAY == period.next().first_day
    assert all(after - before == ONE_DAY for before, after in itertools.pairwise(listed))


@on_any_machine
@given(st.one_of(months, quarters, weeks))
def test_a_period_contains_its_days_and_no_others(period: Week | Month | Quarter) -> None:
    """Every listed day is contained and leads back to the period; the days around it are and do not."""
    for day in period.days():
        assert period.contains(day)
        assert type(period).containing(day) == period
    assert not period.contains(period.first_day - ONE_DAY)
    assert not period.contains(period.next().first_day)


@on_any_machine
@given(st.one_of(months, quarters, weeks))
def test_next_and_previous_are_inverse(period: Week | Month | Quarter) -> None:
    """A step forward and a step back, in either order, lead home; forward is later."""
    assert period.next().previous() == period.previous().next() == period
    assert period.previous().first_day < period.first_day < period.next().first_day


@on_any_machine
@given(months, st.integers(-600, 600))
def test_months_add_up(month: Month, count: int) -> None:
    """Going `count` months and back leads home, and twelve months are a year."""
    month = Month(month.year % 5_000 + 100, month.month)
    assert month.plus(count).plus(-count) == month
    assert month.plus(12) == Month(month.year + 1, month.month)
    assert (month.plus(count) > month) == (count > 0)


@on_any_machine
@given(months, months)
def test_periods_sort_by_time(one: Month, other: Month) -> None:
    """Months and quarters compare as their first days do."""
    assert (one < other) == (one.first_day < other.first_day)
    assert (one.quarter < other.quarter) == (one.quarter.first_day < other.quarter.first_day)


@on_any_machine
@given(months)
def test_a_month_reads_back_as_written(month: Month) -> None:
    """`Month.parse` undoes `str`."""
    assert Month.parse(str(month)) == month


@on_any_machine
@given(quarters)
def test_a_quarter_reads_back_as_written(quarter: Quarter) -> None:
    """`Quarter.parse` undoes `str`."""
    assert Quarter.parse(str(quarter)) == quarter


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-1", "2026-13", "2026-00", "0000-01", "26-11", "2026-11-01", "2026-11\n", " 2026-11", "٢٠٢٦-11"],
)
def test_other_ways_to_write_a_month_are_refused(text: str) -> None:
    """There is one way to write a month; the error shows what was given instead."""
    with pytest.raises(ValueError, match="is not a month such as 2026-11") as refused:
        Month.parse(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-Q0", "2026-Q5", "2026Q4", "2026-q4", "0000-Q1", "2026-Q4\n", "٢٠٢٦-Q4"]
)
def test_other_ways_to_write_a_quarter_are_refused(text: str) -> None:
    """There is one way to write a quarter; the error shows what was given instead."""
    with pytest.raises(ValueError, match="is not a quarter such as 2026-Q4") as refused:
        Quarter.parse(text)
    assert repr(text) in str(refused.value)


@on_any_machine
@given(st.dates(date(1, 1, 8), date(9998, 12, 31)))
def test_a_week_reads_back_as_written(day: date) -> None:
    """`Week.parse` undoes `str`, also where the week belongs to another year than its Monday."""
    assert Week.parse(str(Week.containing(day))) == Week.containing(day)


@pytest.mark.parametrize("text", ["", "2026", "2026-W0", "2026-W00", "2026-W54", "2025-W53", "0000-W01", "2026-W48\n"])
def test_other_ways_to_write_a_week_are_refused(text: str) -> None:
    """There is one way to write a week, and not every year has a fifty-third."""
    with pytest.raises(ValueError, match="is not a week such as 2026-W48") as refused:
        Week.parse(text)
    assert repr(text) in str(refused.value)


def test_periods_have_their_written_forms() -> None:
    """A month, a quarter and a week are written as people write them."""
    day = date(2026, 11, 29)
    assert str(Month.containing(day)) == "2026-11"
    assert str(Quarter.containing(day)) == "2026-Q4"
    assert str(Week.containing(day)) == "2026-W48"


@pytest.mark.parametrize(
    ("day", "written"),
    [(date(2027, 1, 3), "2026-W53"), (date(2024, 12, 30), "2025-W01"), (date(2028, 2, 29), "2028-W09")],
)
def test_a_week_belongs_to_the_year_of_its_thursday(day: date, written: str) -> None:
    """Weeks around New Year are numbered as ISO 8601 does."""
    assert str(Week.containing(day)) == written


@pytest.mark.parametrize(("year", "length"), [(2024, 29), (2026, 28), (2028, 29), (2000, 29), (2100, 28)])
def test_february_is_as_long_as_its_year_says(year: int, length: int) -> None:
    """February has 29 days in leap years only, centuries included."""
    february = Month(year, 2)
    assert len(list(february.days())) == length
    assert february.next().first_day == date(year, 3, 1)


@pytest.mark.parametrize(
    ("month", "quarter"), [(1, 1), (2, 1), (3, 1), (4, 2), (6, 2), (7, 3), (9, 3), (10, 4), (11, 4), (12, 4)]
)
def test_a_month_knows_its_quarter(month: int, quarter: int) -> None:
    """Three months make a quarter, beginning with January."""
    assert Month(2026, month).quarter == Quarter(2026, quarter)
    assert Quarter(2026, quarter).first_month <= Month(2026, month) < Quarter(2026, quarter).next().first_month


@pytest.mark.parametrize(
    ("kind", "figures"),
    [(Month, (2026, 0)), (Month, (2026, 13)), (Month, (0, 1)), (Quarter, (2026, 0)), (Quarter, (2026, 5))],
)
def test_a_period_that_no_calendar_has_is_refused(kind: type[Month | Quarter], figures: tuple[int, int]) -> None:
    """A thirteenth month or a fifth quarter cannot be made."""
    with pytest.raises(ValueError, match=r"must be in|out of range"):
        kind(*figures)


def test_a_week_begins_on_monday() -> None:
    """Any other day is refused as the beginning of a week."""
    with pytest.raises(ValueError, match="2026-11-24 is not a Monday"):
        Week(date(2026, 11, 24))


def test_bounds_are_utc_instants_of_the_zone() -> None:
    """November in New York begins in summer time and ends in winter time."""
    begin, end = Month(2026, 11).bounds(ZoneInfo("America/New_York"))
    assert (begin, end) == (datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 12, 1, 5, tzinfo=UTC))
    assert begin.tzinfo is end.tzinfo is UTC


def test_a_naive_instant_is_refused() -> None:
    """No one knows when a time without a zone is: it is an error that shows the time."""
    naive = datetime(2026, 11, 23, 9)  # noqa: DTZ001 - this is the point
    with pytest.raises(ValueError, match="2026-11-23T09:00:00 has no time zone"):
        require_aware(naive)
    with pytest.raises(ValueError, match="has no time zone"):
        day_of(naive, ZoneInfo("Europe/Berlin"))


@on_any_machine
@given(instants, st.integers(-14 * 60, 14 * 60), zones)
def test_the_day_does_not_depend_on_how_an_instant_is_written(instant: datetime, minutes: int, zone: ZoneInfo) -> None:
    """The same instant in another offset falls on the same day."""
    elsewhere = instant.astimezone(timezone(timedelta(minutes=minutes)))
    assert require_aware(elsewhere) is elsewhere
    assert day_of(elsewhere, zone) == day_of(instant, zone)
