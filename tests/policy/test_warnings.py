"""When a person is warned, of what, and at which hour."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import handbook, warnings
from policy.warnings import USUAL, Choice

RULES = handbook.parse(handbook.packaged()).warnings
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("spent", "left", "permille"),
    [(0, 0, 0), (0, 100, 0), (50, 50, 500), (999, 1, 999), (100, 0, 1000), (100, -50, 1000)],
)
def test_the_share_is_of_what_can_be_spent_in_the_month(spent: int, left: int, permille: int) -> None:
    """What was spent over that and what is left; who is in debt has spent all of it."""
    assert warnings.permille(spent, left) == permille


@given(shares=st.lists(st.integers(0, 1000), max_size=20))
def test_each_percentage_is_reached_once_and_in_order(shares: list[int]) -> None:
    """However spending goes up and down, nothing is said twice, and nothing that was not reached."""
    told: list[int] = []
    for share in shares:
        told += warnings.crossed(share, RULES, told)
    assert len(told) == len(set(told))
    assert set(told) == {percent for percent in RULES.percent if percent * 10 <= max(shares, default=0)}


@given(shares=st.lists(st.integers(0, 1000), max_size=20))
def test_each_percentage_counts_anew_once_the_share_was_below(shares: list[int]) -> None:
    """However shares rise and fall, a percentage is told exactly when the share comes from below it to it or above."""
    told: set[int] = set()
    before = -1
    for share in shares:
        told -= set(warnings.fallen_below(share, told))
        crossed = warnings.crossed(share, RULES, told)
        assert set(crossed) == {percent for percent in RULES.percent if before < percent * 10 <= share}
        told |= set(crossed)
        before = share


@pytest.mark.parametrize(
    ("reached", "choice", "told"),
    [
        ((50, 70, 85), USUAL, 85),
        ((50,), Choice(frozenset({70})), None),
        ((50, 70, 85), Choice(frozenset({50, 70})), 70),
        ((95, 100), Choice(frozenset()), 100),
        ((), USUAL, None),
    ],
)
def test_of_several_at_once_the_highest_that_is_wanted_is_told(
    reached: tuple[int, ...], choice: Choice, told: int | None
) -> None:
    """One message, not three; that nothing is left comes whether it is wanted or not."""
    assert warnings.to_tell(reached, choice) == told


NIGHT = Choice(None, 20, 8)


@pytest.mark.parametrize(
    ("at", "percent", "choice", "due"),
    [
        ("2026-11-20T12:00", 85, NIGHT, "2026-11-20T12:00"),
        ("2026-11-20T21:30", 85, NIGHT, "2026-11-21T08:00"),
        ("2026-11-20T03:00", 85, NIGHT, "2026-11-20T08:00"),
        ("2026-11-20T08:00", 85, NIGHT, "2026-11-20T08:00"),
        ("2026-11-20T21:30", 100, NIGHT, "2026-11-20T21:30"),
        ("2026-11-20T12:30", 50, Choice(None, 12, 14), "2026-11-20T14:00"),
        ("2026-11-20T03:00", 85, USUAL, "2026-11-20T03:00"),
    ],
)
def test_quiet_hours_hold_a_warning_back(at: str, percent: int, choice: Choice, due: str) -> None:
    """In the person's own time, over midnight too; never that nothing is left, and never without being asked to."""
    now = datetime.fromisoformat(at).replace(tzinfo=BERLIN)
    assert warnings.due_at(now, percent, choice, BERLIN) == datetime.fromisoformat(due).replace(tzinfo=BERLIN)


@given(
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    begin=st.integers(0, 23),
    end=st.integers(0, 23),
)
def test_nothing_comes_in_quiet_hours_or_a_day_late(at: datetime, begin: int, end: int) -> None:
    """A warning goes out outside of the quiet hours, and within a day."""
    due = warnings.due_at(at, 50, Choice(None, begin, end), BERLIN)
    hour = due.astimezone(BERLIN).hour
    assert 0 <= (due - at).total_seconds() <= 25 * 3600
    assert begin == end or not (begin <= hour < end if begin < end else hour >= begin or hour < end)
