"""Who takes part from when, how a monthly grant is sized, and how long it lives."""

# ruff: noqa: TC001, TC003 - the types of fields are read at run time

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from policy.declared import Between, Factor, ForEach, OneOf, Share, read
from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.toml_table import Table

LEVELS = ("junior", "mid", "senior", "staff", "principal")
"""From the least to the most senior."""
COMPLEXITIES = ("routine", "usual", "demanding", "novel")
PILOTS = ("first_wave", "all_seniors")
LEAVES = ("joined", "apart")
LEAVERS = ("pool", "expire")
AFTER_PILOT = ("stay", "wait")
BOARD, CALENDAR = "board", "calendar"
GATES = (BOARD, CALENDAR)
FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Of a launch; what lies outside is a slip of the pen, and no calendar has months after 9999."""
LEAST_ANNUAL, MOST_ANNUAL = Decimal("0.90"), Decimal("1.10")
"""What any group of the annual review can do to a grant."""


@dataclass(frozen=True, slots=True)
class HistoryRules:
    """How much earlier utilisation moves a grant, and for how many quarters after the launch it does not."""

    slope: Factor
    least: Factor
    most: Factor
    quiet_quarters: Annotated[int, Between(0, 100)]


@dataclass(frozen=True, slots=True)
class AnnualGroup:
    """A group of the annual review, and what it multiplies the grants of those in it by."""

    name: str
    factor: Factor


@dataclass(frozen=True, slots=True)
class SizingRules:
    """How a monthly grant follows from pay band, seniority, project complexity and history.

    `joiner_reserve` is the share of a month's budget that its run leaves for those who come after it. `unassigned` is
    the complexity of the time that is assigned to no project. Handbooks from before there were these say neither:
    joiners then share what the run happened to leave, and a person's projects count as all of their work.

    `band_distance` is how far from one another the midpoints of merged pay bands may lie. Handbooks from before merge
    with whatever is nearest, and tell of every group alike.

    Where `leaves` are "joined", those that touch or overlap are one leave, and while one pauses a person's grants the
    clock of their lots stands still. Handbooks from before look at each leave alone, and ends do not move.
    """

    share_of_compensation: Share
    least_weight: Factor
    most_weight: Factor
    floor_share: Factor
    cap_share: Factor
    floor_usd: NanoUSD
    round_to_tokens: Annotated[int, Between(1, 1_000_000)]
    people_per_band: Annotated[int, Between(1, 1_000)]
    leave_days: Annotated[int, Between(0, 366)]
    seniority: Annotated[Mapping[str, Decimal], ForEach(LEVELS)]
    complexity: Annotated[Mapping[str, Decimal], ForEach(COMPLEXITIES)]
    history: HistoryRules
    joiner_reserve: Share | None = None
    unassigned: Factor | None = None
    leaves: Annotated[str, OneOf(LEAVES)] = "apart"
    band_distance: Share | None = None
    annual: tuple[AnnualGroup, ...] = ()
    """The groups of the annual review; none before the permanent policy."""

    @property
    def join_leaves(self) -> bool:
        return self.leaves == "joined"


@dataclass(frozen=True, slots=True)
class LotRules:
    """How long a grant lives, how much of it is carried over, and when what lapses is announced.

    A lot that has ended is closed `settle_days` later: usage of its last days may still be on its way. What a
    correction gives back of a lot that has ended lives `returned_days`.

    What lapses on a first stands announced from the day `announced_from` of the month before, and is taken
    `settle_days` after the first. Notices go to those who could use `notice_share` of what lapses. Handbooks from
    before there were these say neither: what is over the limit then lapses on the first, announced or not, and everyone
    is notified.

    `leavers` says what becomes of what is left of those who leave. Where it goes into the pool, what they owe is
    written off; under handbooks of before it expires, and debts stand.
    """

    months: Annotated[int, Between(1, 120)]
    carry_over: Factor
    settle_days: Annotated[int, Between(0, 60)]
    notice_days: Annotated[tuple[int, ...], Between(1, 60)]
    returned_days: Annotated[int, Between(1, 365)] = 30
    announced_from: Annotated[int, Between(1, 28)] | None = None
    notice_share: Share | None = None
    leavers: Annotated[str, OneOf(LEAVERS)] = "expire"


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutRules:
    """Who takes part from when, in months since the launch; without a launch date no one does.

    `after_pilot` says what becomes of a pilot of all seniors whose wave comes later. Handbooks from before there was
    this say nothing: they wait, and come back with their wave.

    `gates` says what lets the next phase begin: the "board", which is asked for each, or the "calendar", unless the
    board stops it. Handbooks from before there was this say nothing: the calendar does. In months that are `paused`
    (by their first days) the roll-out stands still; gates add theirs.
    """

    launched_on: date | None = None
    role_families: tuple[str, ...]
    pilot: Annotated[str, OneOf(PILOTS)]
    pilot_levels: tuple[str, ...]
    wave_months: Annotated[tuple[int, ...], Between(1, 120)]
    phase_2_month: Annotated[int, Between(1, 120)]
    phase_3_month: Annotated[int, Between(1, 120)]
    after_pilot: Annotated[str, OneOf(AFTER_PILOT)] = "wait"
    gates: Annotated[str, OneOf(GATES)] = CALENDAR
    paused: tuple[date, ...] = ()


def read_lots(table: Table) -> LotRules:
    rules = read(LotRules, table)
    return replace(rules, notice_days=tuple(sorted(set(rules.notice_days), reverse=True)))


def sizing_contradictions(sizing: SizingRules) -> Iterator[str]:
    if sizing.least_weight > sizing.most_weight:
        yield f"sizing.least_weight = {sizing.least_weight}: above sizing.most_weight"
    if sizing.floor_share > sizing.cap_share:
        yield f"sizing.floor_share = {sizing.floor_share}: above sizing.cap_share"
    if sizing.history.least > sizing.history.most:
        yield f"sizing.history.least = {sizing.history.least}: above sizing.history.most"
    for name, order in (("seniority", LEVELS), ("complexity", COMPLEXITIES)):
        factors = [getattr(sizing, name)[key] for key in order]
        if factors != sorted(factors):
            yield f"sizing.{name}: the factors must not fall from {order[0]} to {order[-1]}"
    yield from _annual_contradictions(sizing.annual)


def _annual_contradictions(groups: tuple[AnnualGroup, ...]) -> Iterator[str]:
    seen: set[str] = set()
    for group in groups:
        if not LEAST_ANNUAL <= group.factor <= MOST_ANNUAL:
            yield f"sizing.annual.{group.name}.factor = {group.factor}: not from {LEAST_ANNUAL} to {MOST_ANNUAL}"
        if group.name in seen:
            yield f"sizing.annual.{group.name}: listed twice"
        seen.add(group.name)


def rollout_contradictions(rollout: RolloutRules) -> Iterator[str]:
    launched = rollout.launched_on
    if launched and launched.day != 1:
        yield f"rollout.launched_on = {launched}: not the first of a month"
    if launched and not FIRST_YEAR <= launched.year <= LAST_YEAR:
        yield f"rollout.launched_on = {launched}: not in the years {FIRST_YEAR} to {LAST_YEAR}"
    for level in rollout.pilot_levels:
        if level not in LEVELS:
            yield f"rollout.pilot_levels: {level!r} is none of {', '.join(LEVELS)}"
    if list(rollout.wave_months) != sorted(set(rollout.wave_months)):
        yield f"rollout.wave_months = {list(rollout.wave_months)}: not in ascending order"
    if rollout.wave_months and rollout.wave_months[0] < rollout.phase_2_month:
        yield f"rollout.wave_months = {list(rollout.wave_months)}: before rollout.phase_2_month"
    if rollout.phase_3_month <= rollout.phase_2_month:
        yield f"rollout.phase_3_month = {rollout.phase_3_month}: not after rollout.phase_2_month"
