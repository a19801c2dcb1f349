"""Leaves: which of them pause what a person has, and how far the end of a lot moves by them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from policy.period import day_of, first_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from zoneinfo import ZoneInfo

    from policy.parameters.grants import SizingRules

Leave = tuple[date, date | None]
"""First and last day; None while no one knows the last."""
ONE_DAY = timedelta(days=1)


def joined(leaves: Iterable[Leave]) -> list[Leave]:
    """The same days away, where leaves that touch or overlap are one."""
    found: list[Leave] = []
    for first, last in sorted(leaves, key=lambda one: one[0]):
        if found and ((end := found[-1][1]) is None or first <= end + ONE_DAY):
            found[-1] = (found[-1][0], None if end is None or last is None else max(end, last))
        else:
            found.append((first, last))
    return found


def is_long(leave: Leave, leave_days: int) -> bool:
    """Whether a leave is longer than so many days; one without an end is."""
    first, last = leave
    return last is None or (last - first).days + 1 > leave_days


def paused(leaves: Iterable[Leave], leave_days: int, *, join: bool) -> list[Leave]:
    """The leaves that pause grants: those longer than `leave_days`; by a handbook of before each is looked at alone."""
    return [leave for leave in (joined(leaves) if join else leaves) if is_long(leave, leave_days)]


def moved(starts_at: datetime, ends_at: datetime, pauses: Sequence[tuple[date, date]], zone: ZoneInfo) -> datetime:
    """When a lot ends whose clock stands still on the days of some pauses: in order, no two of one day."""
    end = ends_at
    for first, last in pauses:
        if first_instant(first, zone) < end and starts_at < first_instant(last + ONE_DAY, zone):
            days = (last - max(first, day_of(starts_at, zone))).days + 1
            end = _later(end, days, zone)
    return end


def _later(instant: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same time of the day, so many days later."""
    local = instant.astimezone(zone)
    return datetime.combine(local.date() + timedelta(days=days), local.time(), tzinfo=zone).astimezone(UTC)


def pauses(some: Iterable[Leave], rules_on: Callable[[date], SizingRules], through: date) -> list[tuple[date, date]]:
    """The days on which the clock of lots stands still; of a leave without an end, those up to a day.

    Each leave is judged by the rules of its first day; by those of before, no clock stands still.
    """
    found = []
    for first, last in joined(some):
        rules = rules_on(first)
        until = through if last is None else last
        if rules.join_leaves and is_long((first, last), rules.leave_days) and first <= until:
            found.append((first, until))
    return found
