"""How exceptions are asked for and decided."""

# ruff: noqa: TC001 - the types of fields are read at run time

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from policy.business_time import Span
from policy.declared import Between, Factor, Share, read
from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.toml_table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When those who have not voted are reminded, when alternates are called in, and when a request lapses."""

    remind: Span
    escalate: Span
    lapse: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRules(Schedule):
    """A class of requests: up to so many monthly grants (and USD), decided by so many members of the board."""

    grants: Factor
    usd: NanoUSD | None = None
    members: Annotated[int, Between(1, 100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MajorRules(Schedule):
    """Requests above the standard class, or above a share of the quarter's budget: a majority and finance decide.

    The share counts only where it is more than so many of the company's median monthly grants: one per cent of a small
    company's budget is less than anyone's grant.
    """

    pool_share: Share
    median_grants: Factor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassRules:
    """What is credited at once in an incident, how often, and by when so many members ratify it.

    So many monthly grants, but not less and not more than so many USD. Handbooks before these had bounds say `usd`: the
    grants or these USD, whichever is more.
    """

    grants: Factor
    usd: NanoUSD | None = None
    least_usd: NanoUSD | None = None
    most_usd: NanoUSD | None = None
    every_days: Annotated[int, Between(1, 366)]
    members: Annotated[int, Between(1, 100)]
    ratify: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionRules:
    """How exceptions are asked for and decided."""

    from_hour: Annotated[int, Between(0, 23)]
    until_hour: Annotated[int, Between(1, 23)]
    lot_days: Annotated[int, Between(1, 366)]
    split_days: Annotated[int, Between(1, 366)]
    project_days: Annotated[int, Between(1, 366)] | None = None
    notice_days: Annotated[tuple[int, ...], Between(1, 60)]
    outcome_days: Annotated[int, Between(1, 366)]
    fast: ClassRules
    standard: ClassRules
    major: MajorRules
    break_glass: BreakGlassRules


def read_exceptions(table: Table) -> ExceptionRules:
    rules = read(ExceptionRules, table)
    return replace(rules, notice_days=tuple(sorted(set(rules.notice_days), reverse=True)))


def exception_contradictions(exceptions: ExceptionRules) -> Iterator[str]:
    if exceptions.until_hour <= exceptions.from_hour:
        yield f"exceptions.until_hour = {exceptions.until_hour}: not after exceptions.from_hour"
        return
    yield from _break_glass_contradictions(exceptions.break_glass)
    if exceptions.standard.grants < exceptions.fast.grants:
        yield f"exceptions.standard.grants = {exceptions.standard.grants}: below exceptions.fast.grants"
    if exceptions.standard.members < exceptions.fast.members:
        yield f"exceptions.standard.members = {exceptions.standard.members}: below exceptions.fast.members"
    a_day = exceptions.until_hour - exceptions.from_hour
    schedules = {
        "fast": exceptions.fast,
        "standard": exceptions.standard,
        "major": exceptions.major,
    }
    for name, schedule in schedules.items():
        spans = (schedule.remind, schedule.escalate, schedule.lapse)
        if len({span.is_business for span in spans}) > 1:
            yield f"exceptions.{name}: business time and other time are mixed"
        elif not (spans[0].hours(a_day) < spans[1].hours(a_day) < spans[2].hours(a_day)):
            yield f"exceptions.{name}: remind, escalate and lapse must follow one another"


def _break_glass_contradictions(rules: BreakGlassRules) -> Iterator[str]:
    bounds = (rules.least_usd, rules.most_usd)
    if rules.usd is not None and bounds != (None, None):
        yield "exceptions.break_glass: usd stands beside least_usd and most_usd; keep those two"
    elif rules.usd is None and None in bounds:
        yield "exceptions.break_glass: least_usd and most_usd are both needed"
    elif rules.least_usd is not None and rules.most_usd is not None and rules.least_usd > rules.most_usd:
        yield "exceptions.break_glass.least_usd: above exceptions.break_glass.most_usd"
