"""What the calendar owes: each period exactly once, late rather than never, in order, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.period import Month, Quarter, Week, day_of, first_instant
from programme.grants import monthly, settling
from programme.reviews import drafting
from scheduler import due
from scheduler.due import Calendar, Run
from tests.support import depth

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago")
LAUNCH = date(2027, 1, 1)
SETTLE_DAYS = 3
CHARGES_DAYS = 5
BERLIN = ZoneInfo("Europe/Berlin")


def walked(calendar: Calendar, instants: list[datetime]) -> list[Run]:
    """Everything that was done by someone who looks at these instants only."""
    done: dict[str, str] = {}
    runs: list[Run] = []
    for now in instants:
        for run in due.owed(now, calendar, done):
            assert run.due_at <= now
            done[run.job] = run.period
            runs.append(run)
    return runs


def assert_each_period_once(runs: list[Run], calendar: Calendar, end: datetime) -> None:
    last = day_of(end, calendar.zone)
    first = max(LAUNCH, calendar.begins_on)
    days = [(first + timedelta(days=i)).isoformat() for i in range((last - first).days + 1)]
    for job in due.DAILY:
        assert [run.period for run in runs if run.job == job] == days
    weeks = [run.period for run in runs if run.job == due.WEEKLY]
    later = [first + timedelta(days=i) for i in range(1, (last - first).days + 1)]
    assert weeks == [str(Week(day)) for day in later if not day.weekday()]
    months = [run.period for run in runs if run.job == due.GRANTS]
    assert months == sorted({day[:7] for day in days})
    assert [run.period for run in runs if run.job == due.LAPSES] == months[: len(months) - (last.day <= SETTLE_DAYS)]
    charged = [run.period for run in runs if run.job == due.CHARGES]
    assert charged == [month for month in months if over(month) + timedelta(days=CHARGES_DAYS) <= last]
    added_up = [run.period for run in runs if run.job == due.ADDING_UP]
    ready = [month for month in months if settled(month, calendar.zone) + timedelta(hours=1) <= end]
    assert added_up == [day.isoformat() for month in ready for day in Month.parse(month).days()]


def over(month: str) -> date:
    """The first day after a month."""
    return Month.parse(month).next().first_day


def settled(month: str, zone: ZoneInfo) -> datetime:
    return first_instant(over(month) + timedelta(days=CHARGES_DAYS), zone)


@pytest.mark.parametrize("zone", ZONES)
def test_three_years_of_hours_lose_no_period(zone: str) -> None:
    """Looked at every five hours from the launch through leap February and six clock changes, nothing is missed."""
    calendar = Calendar(LAUNCH, LAUNCH, ZoneInfo(zone), settle_days=SETTLE_DAYS, charges_days=CHARGES_DAYS)
    begin = first_instant(LAUNCH, calendar.zone)
    instants = [begin + timedelta(hours=5 * i) for i in range(3 * 366 * 24 // 5)]
    runs = walked(calendar, instants)
    assert_each_period_once(runs, calendar, instants[-1])
    assert "2028-02-29" in {run.period for run in runs}


@given(
    st.sampled_from(ZONES),
    st.lists(st.integers(0, 3 * 366 * 24 * 60), min_size=1, max_size=60),
    st.dates(date(2026, 6, 1), date(2027, 6, 1)),
)
@settings(max_examples=depth.examples(60), deadline=None)
def test_after_any_outage_all_is_done_late(zone: str, minutes: list[int], begins_on: date) -> None:
    """Whenever someone happens to look, what was owed meanwhile is done then, once, each job in order."""
    calendar = Calendar(LAUNCH, begins_on, ZoneInfo(zone), settle_days=SETTLE_DAYS, charges_days=CHARGES_DAYS)
    begin = first_instant(max(LAUNCH, begins_on), calendar.zone)
    instants = sorted(begin + timedelta(minutes=m) for m in minutes)
    runs = walked(calendar, instants)
    assert_each_period_once(runs, calendar, instants[-1])
    for job in {run.job for run in runs}:
        told = [(run.due_at, run.first_day) for run in runs if run.job == job]
        assert all(a < b for a, b in pairwise(told))


def test_a_catch_up_goes_in_the_order_of_time() -> None:
    """After an outage over the first, what ended is closed before the new month is granted, and so day by day."""
    calendar = Calendar(LAUNCH, LAUNCH, BERLIN)
    done = {
        due.GRANTS: "2027-01",
        due.LAPSES: "2027-01",
        due.CHARGES: "2026-12",
        due.ADDING_UP: "2027-01-30",
        due.WEEKLY: "2027-W05",
        **dict.fromkeys(due.DAILY, "2027-01-30"),
    }
    runs = due.owed(datetime(2027, 2, 2, 12, tzinfo=UTC), calendar, done)
    assert [(run.job, run.period) for run in runs] == [
        ("expiry", "2027-01-31"),
        ("joiners", "2027-01-31"),
        ("notices", "2027-01-31"),
        ("expiry", "2027-02-01"),
        ("grants", "2027-02"),
        ("lapses", "2027-02"),
        ("joiners", "2027-02-01"),
        ("notices", "2027-02-01"),
        ("charges", "2027-01"),
        ("adding_up", "2027-01-31"),
        ("expiry", "2027-02-02"),
        ("joiners", "2027-02-02"),
        ("notices", "2027-02-02"),
    ]


def test_nothing_is_owed_without_a_launch_or_before_it() -> None:
    """A company that has not set its date owes nothing; nor does one whose date is to come."""
    now = datetime(2026, 12, 31, 12, tzinfo=UTC)
    assert due.owed(now, Calendar(None, date(2026, 1, 1), BERLIN), {}) == ()
    assert due.owed(now, Calendar(LAUNCH, date(2026, 1, 1), BERLIN), {}) == ()


def test_months_before_the_calendar_are_nobodys_debt() -> None:
    """A bot that starts long after the launch grants the month it starts in, not those before."""
    calendar = Calendar(LAUNCH, date(2027, 5, 17), BERLIN)
    runs = due.owed(datetime(2027, 5, 17, 12, tzinfo=UTC), calendar, {})
    assert [(run.job, run.period) for run in runs if run.job == due.GRANTS] == [("grants", "2027-05")]
    assert next(run.due_at for run in runs) == first_instant(Month(2027, 5).first_day, BERLIN)


def test_the_calendar_and_the_programme_use_one_name() -> None:
    """The run that the calendar owes is the one that the programme claims."""
    assert due.GRANTS == monthly.JOB
    assert due.LAPSES == settling.JOB
    assert due.REVIEWS == drafting.JOB


@pytest.mark.parametrize("launched", [date(2027, 1, 1), date(2027, 2, 1)])
def test_the_first_week_is_that_after_the_launch(launched: date) -> None:
    """On a launch's own Monday there is nothing to report; on the next Monday there is."""
    calendar = Calendar(launched, launched, BERLIN)
    monday = Week.containing(launched).next()

    def weeks(now: datetime) -> list[str]:
        return [run.period for run in due.owed(now, calendar, {}) if run.job == due.WEEKLY]

    begins = first_instant(monday.first_day, BERLIN)
    assert weeks(begins - timedelta(seconds=1)) == []
    assert weeks(begins) == [str(monday)]


def reviewed(now: datetime, calendar: Calendar, done: dict[str, str] | None = None) -> list[str]:
    return [run.period for run in due.owed(now, calendar, done or {}) if run.job == due.REVIEWS]


def test_a_review_is_owed_on_the_first_morning_after_its_quarter() -> None:
    """At nine in Berlin on the first of July, also of a holiday, and not before; nothing while there is none."""
    calendar = Calendar(LAUNCH, LAUNCH, BERLIN, Quarter(2027, 2))
    nine = datetime(2027, 7, 1, 7, tzinfo=UTC)
    assert reviewed(nine - timedelta(seconds=1), calendar) == []
    assert reviewed(nine, calendar) == ["2027-Q2"]
    assert reviewed(nine, Calendar(LAUNCH, LAUNCH, BERLIN)) == []
    assert reviewed(nine, calendar, {due.REVIEWS: "2027-Q2"}) == []
    assert reviewed(datetime(2028, 1, 1, 12, tzinfo=UTC), calendar, {due.REVIEWS: "2027-Q2"}) == ["2027-Q3", "2027-Q4"]


@pytest.mark.parametrize(
    ("begins_on", "first"),
    [(date(2027, 6, 30), "2027-Q2"), (date(2027, 7, 1), "2027-Q2"), (date(2027, 7, 2), "2027-Q3")],
)
def test_reviews_before_the_calendar_are_nobodys_debt(begins_on: date, first: str) -> None:
    """A bot that starts after a quarter's first morning reviews the quarter it starts in, not the one before."""
    calendar = Calendar(LAUNCH, begins_on, BERLIN, Quarter(2027, 2))
    assert reviewed(datetime(2027, 10, 1, 12, tzinfo=UTC), calendar)[0] == first


@given(st.lists(st.integers(0, 3 * 366 * 24 * 60), min_size=1, max_size=60))
@settings(max_examples=depth.examples(60), deadline=None)
def test_after_any_outage_each_quarter_is_reviewed_once(minutes: list[int]) -> None:
    """Whenever someone happens to look, the reviews that are due are done, once, the oldest first."""
    calendar = Calendar(LAUNCH, LAUNCH, BERLIN, Quarter(2027, 2))
    instants = sorted(first_instant(LAUNCH, BERLIN) + timedelta(minutes=m) for m in minutes)
    periods = [run.period for run in walked(calendar, instants) if run.job == due.REVIEWS]
    expected, quarter = [], Quarter(2027, 2)
    while first_instant(quarter.next().first_day, BERLIN) + timedelta(hours=9) <= instants[-1]:
        expected.append(str(quarter))
        quarter = quarter.next()
    assert periods == expected
