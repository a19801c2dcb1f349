"""How exceptions are asked for and decided (RULES 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.toml_table import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from policy.business_time import Span
    from policy.toml_table import Table
    from policy.units import NanoUSD


@dataclass(frozen=True, slots=True)
class Schedule:
    """When those who have not voted are reminded, when alternates are called in, and when a request lapses."""

    remind: Span
    escalate: Span
    lapse: Span


@dataclass(frozen=True, slots=True)
class ClassRules:
    """A class of requests: up to so many monthly grants (and USD), decided by so many members of the board."""

    grants: Decimal
    usd: NanoUSD | None
    members: int
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class MajorRules:
    """Requests above the standard class, or above a share of the quarter's budget: a majority and finance decide."""

    pool_share: Decimal
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class BreakGlassRules:
    """What is credited at once in an incident, how often, and by when so many members ratify it."""

    grants: Decimal
    usd: NanoUSD
    every_days: int
    members: int
    ratify: Span


@dataclass(frozen=True, slots=True)
class ExceptionRules:
    """How exceptions are asked for and decided (RULES 5)."""

    from_hour: int
    until_hour: int
    lot_days: int
    split_days: int
    notice_days: tuple[int, ...]
    outcome_days: int
    fast: ClassRules
    standard: ClassRules
    major: MajorRules
    break_glass: BreakGlassRules


def read_exceptions(table: Table) -> ExceptionRules:
    rules = ExceptionRules(
        from_hour=table.count("from_hour", 0, 23),
        until_hour=table.count("until_hour", 1, 23),
        lot_days=table.count("lot_days", 1, 366),
        split_days=table.count("split_days", 1, 366),
        notice_days=tuple(sorted(set(table.counts("notice_days", 1, 60)), reverse=True)),
        outcome_days=table.count("outcome_days", 1, 366),
        fast=_read_class(table.table("fast")),
        standard=_read_class(table.table("standard")),
        major=_read_major(table.table("major")),
        break_glass=_read_break_glass(table.table("break_glass")),
    )
    table.done()
    return rules


def _read_class(table: Table) -> ClassRules:
    rules = ClassRules(
        grants=table.share("grants", MOST),
        usd=table.usd("usd") if "usd" in table.entries else None,
        members=table.count("members", 1, 100),
        schedule=_read_schedule(table),
    )
    table.done()
    return rules


def _read_schedule(table: Table) -> Schedule:
    return Schedule(table.span("remind"), table.span("escalate"), table.span("lapse"))


def _read_major(table: Table) -> MajorRules:
    rules = MajorRules(table.share("pool_share"), _read_schedule(table))
    table.done()
    return rules


def _read_break_glass(table: Table) -> BreakGlassRules:
    rules = BreakGlassRules(
        grants=table.share("grants", MOST),
        usd=table.usd("usd"),
        every_days=table.count("every_days", 1, 366),
        members=table.count("members", 1, 100),
        ratify=table.span("ratify"),
    )
    table.done()
    return rules


def exception_contradictions(exceptions: ExceptionRules) -> Iterator[str]:
    if exceptions.until_hour <= exceptions.from_hour:
        yield f"exceptions.until_hour = {exceptions.until_hour}: not after exceptions.from_hour"
        return
    if exceptions.standard.grants < exceptions.fast.grants:
        yield f"exceptions.standard.grants = {exceptions.standard.grants}: below exceptions.fast.grants"
    if exceptions.standard.members < exceptions.fast.members:
        yield f"exceptions.standard.members = {exceptions.standard.members}: below exceptions.fast.members"
    a_day = exceptions.until_hour - exceptions.from_hour
    schedules = {
        "fast": exceptions.fast.schedule,
        "standard": exceptions.standard.schedule,
        "major": exceptions.major.schedule,
    }
    for name, schedule in schedules.items():
        spans = (schedule.remind, schedule.escalate, schedule.lapse)
        if len({span.is_business for span in spans}) > 1:
            yield f"exceptions.{name}: business time and other time are mixed"
        elif not (spans[0].hours(a_day) < spans[1].hours(a_day) < spans[2].hours(a_day)):
            yield f"exceptions.{name}: remind, escalate and lapse must follow one another"
