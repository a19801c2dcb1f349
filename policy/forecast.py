"""How a month will end, and when tokens run out, from a person's own days: with an interval, or "too early to tell".

Spending has a pattern of the week (working days and week-ends) and much chance. So days to come are drawn from days
that were: each from the person's own last eight weeks, of the same kind of day, with a fixed seed, so that the same
history gives the same answer.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

HISTORY_DAYS = 56
"""Eight whole weeks: every weekday eight times."""
LEAST_DAYS = 14
"""With less than two weeks it is too early to tell."""
LEAST_ACTIVE = 5
"""Nor is anything told from fewer days on which anything was spent."""
DRAWS = 200
INTERVAL = (5, 95)
"""Percentiles of the draws. Eight weeks show too few of the rare large days: about four months of five end within."""
FARTHEST = 92
"""Days ahead; a date beyond them is not given."""
WEEKEND = (5, 6)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a month's spend will come to, and the last day with tokens left, each as (low, middle, high).

    Amounts are whole numbers of the unit of the history. `runs_out` has None where tokens outlast the horizon; its low
    end is the earliest day. `course` is what the month will have cost by the end of each of its days to come; it ends
    with `spend`, and is empty on the month's last day.
    """

    spend: tuple[int, int, int]
    runs_out: tuple[date | None, date | None, date | None]
    course: tuple[tuple[int, int, int], ...] = ()


def forecast(
    days: Mapping[date, int], *, today: date, first_day: date, month_ends: date, spent: int, left: int
) -> Forecast | None:
    """Look ahead from the end of `today`; None when it is too early to tell.

    `days` is what each past day cost (days without usage may be left out), `first_day` the first on which the person
    could spend, `month_ends` the first day after the month, `spent` what the month cost so far, `left` what is left.
    """
    history = _history(days, today, first_day)
    if len(history) < LEAST_DAYS or sum(amount > 0 for _, amount in history) < LEAST_ACTIVE:
        return None
    to_come = [today + timedelta(days=i) for i in range(1, FARTHEST + 1)]
    in_month = sum(day < month_ends for day in to_come)
    courses = list(_courses(history, to_come, seed=f"{today} {spent} {left}"))
    by_day = tuple(_percentiles([spent + course[i] for course in courses]) for i in range(in_month))
    dry = [bisect_left(course, left) if left > 0 else 0 for course in courses]
    first, usual, last = (to_come[i] if i < FARTHEST else None for i in _percentiles(dry))
    return Forecast(by_day[-1] if by_day else (spent,) * 3, (first, usual, last), by_day)


def _courses(history: Sequence[tuple[date, int]], to_come: Sequence[date], *, seed: str) -> Iterator[list[int]]:
    """What will have been spent by each of the days to come, drawn again and again."""
    pools = [[amount for day, amount in history if (day.weekday() in WEEKEND) == kind] for kind in (False, True)]
    kinds = [day.weekday() in WEEKEND for day in to_come]
    chance = random.Random(seed)  # noqa: S311 - draws of days, not of secrets
    for _ in range(DRAWS):
        drawn = [iter(chance.choices(pool, k=len(kinds))) for pool in pools]
        yield list(accumulate(next(drawn[kind]) for kind in kinds))


def _history(days: Mapping[date, int], today: date, first_day: date) -> list[tuple[date, int]]:
    """The days that count, the present one left out: it is not over."""
    begin = max(first_day, today - timedelta(days=HISTORY_DAYS))
    return [(day, days.get(day, 0)) for i in range((today - begin).days) for day in [begin + timedelta(days=i)]]


def _percentiles(values: Sequence[int]) -> tuple[int, int, int]:
    ordered = sorted(values)
    low, high = INTERVAL
    return ordered[len(ordered) * low // 100], ordered[len(ordered) // 2], ordered[len(ordered) * high // 100 - 1]


@dataclass(frozen=True, slots=True)
class Ahead:
    """What periods to come will have cost when they are over, each as (low, middle, high)."""

    weeks: tuple[tuple[int, int, int], ...]
    month: tuple[int, int, int]


def ahead(
    history: Sequence[tuple[date, int]],
    *,
    today: date,
    weeks: int,
    spent_this_week: int,
    month_ends: date,
    spent_this_month: int,
) -> Ahead | None:
    """Look ahead for a group, from today on, which is not over; None when it is too early to tell.

    `history` are past days with what each cost, those without usage included; both `spent` are without today. The
    first of the weeks is the present one as a whole.
    """
    if len(history) < LEAST_DAYS or sum(amount > 0 for _, amount in history) < LEAST_ACTIVE:
        return None
    rest = 7 - today.weekday()
    to_come = [today + timedelta(days=i) for i in range(max(rest + 7 * (weeks - 1), (month_ends - today).days))]
    in_month = (month_ends - today).days
    ends = [rest + 7 * i for i in range(weeks)]
    sums: list[list[int]] = [[] for _ in ends]
    months: list[int] = []
    for course in _courses(history[-HISTORY_DAYS:], to_come, seed=f"{today} {spent_this_week} {spent_this_month}"):
        before = -spent_this_week
        for i, end in enumerate(ends):
            sums[i].append(course[end - 1] - before)
            before = course[end - 1]
        months.append(spent_this_month + course[in_month - 1])
    return Ahead(tuple(_percentiles(one) for one in sums), _percentiles(months))
