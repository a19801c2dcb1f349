"""A report of the return, from what was frozen for it: the effect on output, the money, and what is not known.

Everything follows from a basis, its rows and the handbook's assumptions, so that it can be worked out again.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from policy import returns
from policy.period import Month
from policy.reasons import Refusal
from policy.returns import Assumptions, MonthOfPay, Uplift
from policy.roi import association, estimate, panel
from policy.roi.estimate import SmallNumbers
from policy.roi.panel import NEVER, Panel
from policy.roi.spread import Draws
from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from policy.parameters.roi import RoiRules
    from policy.returns import Judged, Swing, Verdict
    from policy.roi.association import Association, Split
    from policy.roi.estimate import Estimate, Figure, WithoutOne
    from policy.roi.spread import Method

Scale = Literal["log", "counts"]
Because = Literal["interval", "spans", "few_teams", "not_parallel", "no_interval", "refused"]
LEAST_P = 0.05
"""Leads that chance alone makes as large less often than this tell of teams that did not run in parallel."""
NO_TEAM = ""
DIGITS = 6
"""An uplift is rounded to so many decimals before it meets an amount."""
QUARTER = 3
WHOLE = 1_000
ASSUMED = {
    "value": "value_per_dollar",
    "realised": "realised_share",
    "loaded": "loaded_factor",
    "ramp": "ramp_months",
}


class TeamMonth(NamedTuple):
    """A team (by its manager) in a month. Posts and output in thousandths, tokens in micro-tokens, money in nano-USD.

    `output` is None where nobody told any; `cost` and `payroll` (of a year) are those of its people who take part.
    """

    team: str
    month: str
    output: int | None
    weeks: int
    posts: int
    taking_part: int
    tokens: int
    cost: int
    payroll: int


class TeamWeek(NamedTuple):
    """What a team made (thousandths) and spent (micro-tokens) in a week, by its Monday."""

    team: str
    monday: str
    output: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Basis:
    """What is the same for all teams; `missing` counts what could not be taken in, by a code."""

    through: str
    launched: str
    handbook: str
    by_lot: bool
    missing: tuple[tuple[str, int], ...] = ()


class MonthLine(NamedTuple):
    """A month since the launch: what the teams that took part made and spent, and what it cost beside tokens."""

    month: str
    payroll: NanoUSD
    tokens_cost: NanoUSD
    fixed: NanoUSD
    output: int
    tokens: int

    @property
    def cost(self) -> NanoUSD:
        return self.tokens_cost + self.fixed

    @property
    def per_output(self) -> NanoUSD | None:
        """What a unit of output cost: a plain figure, and no effect."""
        return NanoUSD(int(self.tokens_cost) * WHOLE // self.output) if self.output else None


@dataclass(frozen=True, slots=True)
class Effect:
    """What changed in the work of teams; `other` is the uplift by the other scale, where there is one."""

    scale: Scale
    found: Estimate
    uplift: Uplift
    other: Uplift | None
    without: WithoutOne | None
    per_unit: float = 1.0
    """What there would have been without it, in the outcome's unit; 1 in logarithms."""

    def relative(self, value: float) -> float:
        """An estimate as a share of what there would have been without it."""
        return math.expm1(value) if self.scale == "log" else value / self.per_unit


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. Without an `effect`, `refused` is the code of why there is none, and nothing is established."""

    basis: Basis
    effect: Effect | None
    refused: str
    judged: Judged | None
    swings: tuple[Swing, ...]
    one_off: NanoUSD
    months: tuple[MonthLine, ...]
    ahead: int
    """So many months after the last one are as it was, until the horizon."""
    split: Split | None
    """Of the last three months beside the first three, where there are six."""
    association: Association | None
    """Tokens and output weeks apart, since the last team joined; None where weeks or teams are too few."""

    @property
    def real(self) -> tuple[MonthLine, ...]:
        """The months that were, without those ahead."""
        return self.months[: len(self.months) - self.ahead]

    @property
    def told(self) -> Judged | None:
        """The money, where teams are enough for more than a direction."""
        return None if self.because == "few_teams" else self.judged

    @property
    def because(self) -> Because:
        """What the verdict rests on: the interval, or why it establishes nothing."""
        if self.effect is None or self.judged is None:
            return "refused"
        if self.effect.found.trust == "directional":
            return "few_teams"
        if self.effect.found.leads.p is not None and self.effect.found.leads.p < LEAST_P:
            return "not_parallel"
        if self.effect.uplift.low is None and self.effect.uplift.high is None:
            return "no_interval"
        return "interval" if self.judged.verdict != "not_established" else "spans"

    @property
    def verdict(self) -> Verdict:
        """Not established with few teams, or where they did not run in parallel before, whatever the interval."""
        return self.judged.verdict if self.judged and self.because == "interval" else "not_established"


def of(
    basis: Basis,
    rows: Sequence[TeamMonth],
    rules: RoiRules,
    draws: Draws | None = None,
    weeks: Sequence[TeamWeek] = (),
) -> Report:
    """The report; the same for the same basis, rows, weeks and rules."""
    months, one_off, ahead = _money(basis, rows, rules)
    refused, effect = "", None
    try:
        effect = _effect(basis, rows, rules, draws or Draws())
    except Refusal as refusal:
        refused = refusal.code
    pays = [MonthOfPay(one.payroll, one.cost) for one in months]
    assumed = _assumed(rules)
    judged: Judged | None = None
    swings: tuple[Swing, ...] = ()
    if effect is not None:
        judged = returns.judge(effect.uplift, pays, one_off, assumed)
        ranges = {factor: rules.range_of(name) for factor, name in ASSUMED.items()}
        swings = returns.tornado(effect.uplift, pays, one_off, assumed, ranges)  # type: ignore[arg-type]
    split = _split(months[: len(months) - ahead])
    related = _association(weeks, draws or Draws())
    return Report(basis, effect, refused, judged, swings, one_off, months, ahead, split, related)


def _assumed(rules: RoiRules) -> Assumptions:
    return Assumptions(
        rules.value_per_dollar, rules.realised_share, rules.loaded_factor, rules.ramp_months, rules.discount_rate
    )


# --- The effect -----------------------------------------------------------------------------------------------------


def panel_of(basis: Basis, rows: Sequence[TeamMonth], rules: RoiRules) -> Panel:
    """Output per post and week of teams in months; each takes part from the first month in which enough of it does."""
    teams = sorted({row.team for row in rows if row.team != NO_TEAM})
    months = sorted({row.month for row in rows})
    if not teams or not months:
        raise Refusal("panel_too_small", "No team has any outcome yet.")
    place = {team: i for i, team in enumerate(teams)}
    at = {month: i for i, month in enumerate(months)}
    outcome = np.full((len(teams), len(months)), np.nan)
    first = np.full(len(teams), NEVER, dtype=np.int64)
    for row in rows:
        if row.team == NO_TEAM:
            continue
        if row.output is not None and row.posts and row.weeks:
            outcome[place[row.team], at[row.month]] = row.output / (row.posts * row.weeks)
        begun = row.month >= basis.launched and row.taking_part >= float(rules.treated_share) * max(1, row.posts)
        if begun:
            first[place[row.team]] = min(first[place[row.team]], ordinal(row.month))
    return Panel(tuple(teams), tuple(map(ordinal, months)), outcome, first)


def ordinal(month: str) -> int:
    one = Month.parse(month)
    return one.year * 12 + one.month - 1


def month_of(place: int) -> Month:
    return Month(place // 12, place % 12 + 1)


def _effect(basis: Basis, rows: Sequence[TeamMonth], rules: RoiRules, draws: Draws) -> Effect:
    """In logarithms where every figure is above 0, else in the outcome's own unit: the data decide, not the result."""
    given = panel_of(basis, rows, rules)
    plain, _ = panel.complete(given)
    logs = panel.logarithms(plain.outcome)
    method: Method = "permutation" if basis.by_lot else "bootstrap"
    small = SmallNumbers(rules.directional_below, rules.percentage_from)
    counts = estimate.estimate(given, "not-yet", method, draws, small)
    per_unit = estimate.counterfactual(given, counts)
    in_counts = _relative(counts.mean, per_unit)
    if logs is None:
        return Effect("counts", counts, in_counts, None, estimate.without_one(given, "not-yet"), per_unit)
    with np.errstate(divide="ignore"):
        in_logs = given.with_outcome(np.log(given.outcome))
    found = estimate.estimate(in_logs, "not-yet", method, draws, small)
    uplift = Uplift(*(_rounded(one, math.expm1) for one in found.mean))  # type: ignore[arg-type]
    return Effect("log", found, uplift, in_counts, estimate.without_one(in_logs, "not-yet"))


def _relative(mean: Figure, without: float) -> Uplift:
    """An effect beside what there would have been without it."""
    if without <= 0:
        raise Refusal("no_counterfactual", "Without the effect there would have been no output to compare it with.")
    return Uplift(*(_rounded(one, lambda value: value / without) for one in mean))  # type: ignore[arg-type]


def _rounded(value: float | None, of_value: Callable[[float], float]) -> Decimal | None:
    return None if value is None else Decimal(str(round(of_value(value), DIGITS)))


def _association(weeks: Sequence[TeamWeek], draws: Draws) -> Association | None:
    """Of the teams that are there in every week, in logarithms of one more, so that a week without either counts."""
    mondays = sorted({one.monday for one in weeks})
    by_team: defaultdict[str, dict[str, TeamWeek]] = defaultdict(dict)
    for one in weeks:
        by_team[one.team][one.monday] = one
    teams = sorted(team for team, some in by_team.items() if len(some) == len(mondays))
    figures = [[(by_team[team][m].tokens, by_team[team][m].output) for m in mondays] for team in teams]
    try:
        both = np.log1p(np.array(figures, dtype=np.float64).reshape(len(teams), len(mondays), 2))
        return association.lagged(both[:, :, 0], both[:, :, 1], draws)
    except Refusal:
        return None


# --- The money ------------------------------------------------------------------------------------------------------


def _money(basis: Basis, rows: Sequence[TeamMonth], rules: RoiRules) -> tuple[tuple[MonthLine, ...], NanoUSD, int]:
    """The months since the launch and those that are still ahead, and what was paid before the first one."""
    launch, through = Month.parse(basis.launched), Month.parse(basis.through)
    by_month: defaultdict[str, list[TeamMonth]] = defaultdict(list)
    for row in rows:
        by_month[row.month].append(row)
    months, month = [], launch
    while month.first_day <= through.first_day:
        months.append(_line(month, by_month[str(month)], rules))
        month = month.next()
    ahead = max(0, rules.horizon_months - len(months)) if months else 0
    for _ in range(ahead):
        last = months[-1]
        months.append(last._replace(month=str(month), fixed=_fixed(month, rules)))
        month = month.next()
    return tuple(months), _one_off(launch, rules), ahead


def _line(month: Month, rows: Sequence[TeamMonth], rules: RoiRules) -> MonthLine:
    inside = [row for row in rows if row.taking_part]
    return MonthLine(
        str(month),
        NanoUSD(sum(row.payroll for row in inside)),
        NanoUSD(sum(row.cost for row in inside)),
        _fixed(month, rules),
        sum(row.output or 0 for row in inside),
        sum(row.tokens for row in inside),
    )


def _fixed(month: Month, rules: RoiRules) -> NanoUSD:
    end = month.next().first_day
    return sum((cost.usd for cost in rules.costs if cost.in_month(month.first_day, end)), NanoUSD(0))


def _one_off(launch: Month, rules: RoiRules) -> NanoUSD:
    """What was paid before the launch: once, and in the months before it."""
    paid = NanoUSD(0)
    for cost in rules.costs:
        month = Month.containing(cost.from_)
        if cost.per == "once":
            paid += cost.usd if month.first_day < launch.first_day else NanoUSD(0)
            continue
        while month.first_day < launch.first_day and (cost.until is None or cost.until >= month.first_day):
            paid += cost.usd
            month = month.next()
    return paid


def _split(months: Sequence[MonthLine]) -> Split | None:
    if len(months) < 2 * QUARTER:
        return None
    first, last = months[:QUARTER], months[-QUARTER:]
    output = sum(one.output for one in first), sum(one.output for one in last)
    return association.split(output, (sum(one.tokens for one in first), sum(one.tokens for one in last)))
