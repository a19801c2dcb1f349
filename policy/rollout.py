"""Phases and waves: who takes part in a month, and for how many of its days."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from policy import leaves
from policy.period import MONTHS_PER_YEAR, Month, Quarter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from policy.parameters.grants import RolloutRules

BASELINE_MONTHS = 3
"""Phase 0 lasts as long before the launch."""


@dataclass(frozen=True, slots=True)
class Participant:
    """What decides whether someone takes part; `wave` is None for a person in no draw."""

    level: str
    role_family: str
    wave: int | None
    hired_on: date
    left_on: date | None
    absences: tuple[tuple[date, date | None], ...] = ()
    """First and last days; None while no one knows the last."""


def months_since_launch(month: Month, launched_on: date) -> int:
    """0 in the month of the launch, negative before it."""
    launch = Month.containing(launched_on)
    return (month.year - launch.year) * MONTHS_PER_YEAR + month.month - launch.month


def clock(month: Month, rules: RolloutRules) -> int | None:
    """Months since the launch in which the roll-out went on; None while no launch is set.

    In a month in which it stands still, the clock shows what it showed in the month before.
    """
    if rules.launched_on is None:
        return None
    stood = sum(rules.launched_on < one <= month.first_day for one in rules.paused)
    return months_since_launch(month, rules.launched_on) - stood


def month_at(since: int, rules: RolloutRules) -> Month | None:
    """The first month in which the clock shows so much, as far as is known: the roll-out may yet stand still."""
    if rules.launched_on is None:
        return None
    month = Month.containing(rules.launched_on).plus(since)
    while (shown := clock(month, rules)) is not None and shown < since:
        month = month.plus(since - shown)
    return month


def phase(month: Month, rules: RolloutRules) -> int | None:
    """0 to 3; None before the baseline, and while no launch is set."""
    since = clock(month, rules)
    if since is None:
        return None
    if since < 0:
        return 0 if since >= -BASELINE_MONTHS else None
    return 1 if since < rules.phase_2_month else 2 if since < rules.phase_3_month else 3


def takes_part(person: Participant, month: Month, rules: RolloutRules) -> bool:
    """Whether a person's wave has come; employment and leave are `active_days`' matter."""
    reached = phase(month, rules)
    if not reached or rules.launched_on is None or person.role_family not in rules.role_families:
        return False
    all_seniors = rules.pilot == "all_seniors" and person.level in rules.pilot_levels
    if reached == 1:
        return all_seniors or (person.level in rules.pilot_levels and person.wave == 1)
    if all_seniors and rules.after_pilot == "stay":
        return True
    since = clock(month, rules)
    return since is not None and since >= _first_month(person, rules)


def why_out(person: Participant, month: Month, rules: RolloutRules) -> str:
    """Why someone doesn't take part in a month of the programme; empty when they do."""
    if takes_part(person, month, rules):
        return ""
    reached = phase(month, rules)
    if not reached or rules.launched_on is None:
        return "the programme has not begun"
    if person.role_family not in rules.role_families:
        return f"role family {person.role_family!r} has no part"
    if reached == 1 and person.level not in rules.pilot_levels:
        return f"level {person.level!r} is not in the pilot"
    if person.wave is None:
        return "no wave"
    first = month_at(_first_month(person, rules), rules)
    return f"wave {person.wave} begins in {first}"


def _first_month(person: Participant, rules: RolloutRules) -> int:
    """The first two waves come in the first month of phase 2; a person without one comes with the last."""
    months = rules.wave_months or (rules.phase_2_month,)
    if person.wave is None:
        return months[-1]
    return months[min(max(person.wave - 2, 0), len(months) - 1)]


def active_days(person: Participant, month: Month, leave_days: int, *, join: bool = False) -> int:
    """Days of the month on which a person is employed and not on a leave longer than `leave_days`.

    `join` makes leaves that touch or overlap one leave.
    """
    away = leaves.paused(person.absences, leave_days, join=join)
    return sum(_employed(person, day) and not _within(day, away) for day in month.days())


def _employed(person: Participant, day: date) -> bool:
    return person.hired_on <= day and (person.left_on is None or day <= person.left_on)


def _within(day: date, absences: Iterable[tuple[date, date | None]]) -> bool:
    return any(first <= day and (last is None or day <= last) for first, last in absences)


def draw(teams: Mapping[str, int], waves: int, seed: str) -> dict[str, int]:
    """A wave for each team, by lot: teams in an order that the seed decides, each into the wave with the fewest people.

    `teams` holds their sizes. The same teams and seed always give the same draw, so that anyone can repeat it.
    """
    order = sorted(teams)
    random.Random(seed).shuffle(order)  # noqa: S311 - a lot that can be drawn again
    sizes = dict.fromkeys(range(1, waves + 1), 0)
    drawn: dict[str, int] = {}
    for team in order:
        wave = min(sizes, key=lambda number: (sizes[number], number))
        drawn[team] = wave
        sizes[wave] += teams[team]
    return drawn


def adjustment_counts(month: Month, rules: RolloutRules, quiet_quarters: int) -> bool:
    """Whether history may move grants: not in the pilot, nor in the first quarters after the launch."""
    if rules.launched_on is None:
        return False
    begins = Month.containing(rules.launched_on).quarter
    for _ in range(quiet_quarters):
        begins = begins.next()
    return (phase(month, rules) or 0) > 1 and month.quarter >= begins


def first_review(rules: RolloutRules, quiet_quarters: int) -> Quarter | None:
    """The first quarter that is reviewed: the one before that in which history may move grants; None before a launch.

    Quarters that were over before the launch have nothing to look back at.
    """
    if rules.launched_on is None:
        return None
    quarter = Quarter.containing(rules.launched_on)
    while not adjustment_counts(quarter.next().first_month, rules, quiet_quarters):
        quarter = quarter.next()
    return quarter


def is_there(person: Participant, first: date, last: date, leave_days: int, *, join: bool = False) -> bool:
    """Whether someone is employed, and not on a leave longer than `leave_days`, on all of some days."""
    employed = _employed(person, first) and _employed(person, last)
    return employed and not any(
        begin <= last and (end is None or end >= first)
        for begin, end in leaves.paused(person.absences, leave_days, join=join)
    )


def last_days(month: Month, count: int) -> Sequence[date]:
    """The last days of a month, oldest first."""
    end = month.next().first_day
    return [end - timedelta(days=i) for i in range(count, 0, -1)]
