"""Who takes part from when, how a monthly grant is sized, and how long it lives (RULES 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.toml_table import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from decimal import Decimal

    from policy.toml_table import Table
    from policy.units import NanoUSD

LEVELS = ("junior", "mid", "senior", "staff", "principal")
"""From the least to the most senior."""
COMPLEXITIES = ("routine", "usual", "demanding", "novel")
PILOTS = ("first_wave", "all_seniors")


@dataclass(frozen=True, slots=True)
class HistoryRules:
    """How much earlier utilisation moves a grant, and for how many quarters after the launch it does not."""

    slope: Decimal
    least: Decimal
    most: Decimal
    quiet_quarters: int


@dataclass(frozen=True, slots=True)
class SizingRules:
    """How a monthly grant follows from pay band, seniority, project complexity and history (RULES 3)."""

    share_of_compensation: Decimal
    least_weight: Decimal
    most_weight: Decimal
    floor_share: Decimal
    cap_share: Decimal
    floor_usd: NanoUSD
    round_to_tokens: int
    people_per_band: int
    leave_days: int
    seniority: Mapping[str, Decimal]
    complexity: Mapping[str, Decimal]
    history: HistoryRules


@dataclass(frozen=True, slots=True)
class LotRules:
    """How long a grant lives, how much of it is carried over, and when what lapses is announced.

    A lot that has ended is closed `settle_days` later: usage of its last days may still be on its way.
    """

    months: int
    carry_over: Decimal
    settle_days: int
    notice_days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RolloutRules:
    """Who takes part from when, in months since the launch; without a launch date no one does."""

    launched_on: date | None
    role_families: tuple[str, ...]
    pilot: str
    pilot_levels: tuple[str, ...]
    wave_months: tuple[int, ...]
    phase_2_month: int
    phase_3_month: int


def read_sizing(table: Table) -> SizingRules:
    rules = SizingRules(
        share_of_compensation=table.share("share_of_compensation"),
        least_weight=table.share("least_weight", MOST),
        most_weight=table.share("most_weight", MOST),
        floor_share=table.share("floor_share", MOST),
        cap_share=table.share("cap_share", MOST),
        floor_usd=table.usd("floor_usd"),
        round_to_tokens=table.count("round_to_tokens", 1, 1_000_000),
        people_per_band=table.count("people_per_band", 1, 1_000),
        leave_days=table.count("leave_days", 0, 366),
        seniority=_read_factors(table.table("seniority"), LEVELS),
        complexity=_read_factors(table.table("complexity"), COMPLEXITIES),
        history=_read_history(table.table("history")),
    )
    table.done()
    return rules


def _read_factors(table: Table, names: tuple[str, ...]) -> dict[str, Decimal]:
    factors = {name: table.share(name, MOST) for name in names}
    table.done()
    return factors


def _read_history(table: Table) -> HistoryRules:
    rules = HistoryRules(
        table.share("slope", MOST),
        table.share("least", MOST),
        table.share("most", MOST),
        table.count("quiet_quarters", 0, 100),
    )
    table.done()
    return rules


def read_lots(table: Table) -> LotRules:
    rules = LotRules(
        months=table.count("months", 1, 120),
        carry_over=table.share("carry_over", MOST),
        settle_days=table.count("settle_days", 0, 60),
        notice_days=tuple(sorted(set(table.counts("notice_days", 1, 60)), reverse=True)),
    )
    table.done()
    return rules


def read_rollout(table: Table) -> RolloutRules:
    rules = RolloutRules(
        launched_on=table.optional_day("launched_on"),
        role_families=tuple(table.texts("role_families")),
        pilot=table.choice("pilot", PILOTS),
        pilot_levels=tuple(table.texts("pilot_levels")),
        wave_months=table.counts("wave_months", 1, 120),
        phase_2_month=table.count("phase_2_month", 1, 120),
        phase_3_month=table.count("phase_3_month", 1, 120),
    )
    table.done()
    return rules


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


def rollout_contradictions(rollout: RolloutRules) -> Iterator[str]:
    launched = rollout.launched_on
    if launched and launched.day != 1:
        yield f"rollout.launched_on = {launched}: not the first of a month"
    for level in rollout.pilot_levels:
        if level not in LEVELS:
            yield f"rollout.pilot_levels: {level!r} is none of {', '.join(LEVELS)}"
    if list(rollout.wave_months) != sorted(set(rollout.wave_months)):
        yield f"rollout.wave_months = {list(rollout.wave_months)}: not in ascending order"
    if rollout.wave_months and rollout.wave_months[0] < rollout.phase_2_month:
        yield f"rollout.wave_months = {list(rollout.wave_months)}: before rollout.phase_2_month"
    if rollout.phase_3_month <= rollout.phase_2_month:
        yield f"rollout.phase_3_month = {rollout.phase_3_month}: not after rollout.phase_2_month"
