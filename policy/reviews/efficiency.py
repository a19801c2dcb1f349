"""How much each unit (a person or a team) delivered for what it spent, as a score among its peers, with its noise.

    e = ln(Y + a) − β·ln(T + t0)            Y: output within the peers' 5 and 95 %, T: tokens spent
    z = (e − median) ÷ (1.4826·MAD)         among the peers, at most ±2.5
    θ = B·z, B = τ² ÷ (τ² + σ²)             σ²: noise by bootstrap over the weeks, τ²: variance between units
    LCB = θ − 1.28·√(τ²·σ² ÷ (τ² + σ²))

The figures are those of the packaged handbook. Everything is counted for a full post and a whole quarter, so that
neither part-time nor weeks before a person came make anyone look inefficient.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from policy.parameters.grants import LEVELS
from policy.reviews import robust

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from policy.parameters.reviews import AdjustmentRules, EfficiencyRules
    from policy.reviews.robust import Floats

DIGITS = 6
"""Scores are rounded to so many decimals: what follows from the last bits of a float is no evidence."""
ROWS = 1_000
"""Units whose weeks are drawn at once, so that memory does not grow with the company."""
EVERYBODY = "everybody"
Unit = tuple[str, str]
"""(role family, level)"""


@dataclass(frozen=True, slots=True)
class Peers:
    """A person's peers: a role family (or everyone), some of its levels (none means all), and how many they are."""

    role_family: str
    levels: tuple[str, ...]
    size: int

    @property
    def key(self) -> str:
        """Such as `engineering/junior+mid`, `engineering`, `everybody`."""
        return "/".join(filter(None, (self.role_family, "+".join(self.levels))))


@dataclass(frozen=True, slots=True)
class Score:
    """A unit's efficiency with all that it follows from, in this order: Y, T, e, z, σ², τ², B, θ, LCB, β.

    `output` (Y, within the peers' bounds) and `tokens` (T) are those of a full post and a whole quarter.
    """

    peers: Peers
    weeks: int
    output: float
    tokens: float
    residual: float
    z: float
    noise: float
    between: float
    believed: float
    theta: float
    lcb: float
    elasticity: float


@dataclass(frozen=True, slots=True)
class Measures:
    """Units in the order of their ids, with what each delivered and spent per full post, a column for each week.

    A week in which a unit was not there is not a number. Level "" stands for all levels. The last `wider` of them
    contain others: they are scored among those, whose scores they do not move.
    """

    ids: tuple[str, ...]
    families: tuple[str, ...]
    levels: tuple[str, ...]
    output: Floats
    tokens: Floats
    wider: int = 0

    @property
    def present(self) -> NDArray[np.bool_]:
        return ~(np.isnan(self.output) | np.isnan(self.tokens))

    @property
    def weeks(self) -> dict[str, int]:
        """How many weeks with figures each unit has."""
        return dict(zip(self.ids, self.present.sum(axis=1).tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class PeerGroup:
    """Units that are scored together: by rows, among the rows that they are compared with."""

    peers: Peers
    rows: tuple[int, ...]
    among: tuple[int, ...]


class Slope(NamedTuple):
    """Sums of products and squares of what peers differ by, and of how many units."""

    products: float
    squares: float
    units: int

    def __add__(self, other: object) -> Slope:
        """Both together: each unit is compared with its own peers."""
        assert isinstance(other, Slope)  # noqa: S101 - a sum of slopes
        return Slope(self.products + other.products, self.squares + other.squares, self.units + other.units)

    def within(self, rules: EfficiencyRules) -> float | None:
        """The slope within the handbook's bounds; None where units are few, or all spent alike."""
        if self.units < rules.refit_from or self.squares <= robust.LEAST_SPREAD:
            return None
        slope = self.products / self.squares
        return min(max(slope, float(rules.least_elasticity)), float(rules.most_elasticity))


class Refit(NamedTuple):
    """β as several quarters show it, None where they don't; and of how many units, each counted in each quarter."""

    elasticity: float | None
    units: int


def score(measures: Measures, rules: AdjustmentRules) -> dict[str, Score]:
    """The scores of all units with weeks and peers enough, by id; the others have none."""
    output, tokens, weeks = _totals(measures, rules.weeks)
    units, own = _with_weeks(measures, rules.least_weeks)
    groups = peer_groups(own, rules.least_peers)
    elasticity = _slope(groups, output, tokens, rules.efficiency).within(rules.efficiency)
    elasticity = float(rules.efficiency.elasticity) if elasticity is None else elasticity
    scored: dict[str, Score] = {}
    for group in [*groups, *_wider_groups(own, units, rules.least_peers)]:
        for row, one in _scored(group, measures, (output, tokens, weeks), elasticity, rules):
            scored[measures.ids[row]] = one
    return {unit: scored[unit] for unit in measures.ids if unit in scored}


def refitted(quarters: Iterable[Measures], rules: AdjustmentRules) -> Refit:
    """β of several quarters together: the slope within the peers of each quarter."""
    pooled = Slope(0.0, 0.0, 0)
    for measures in quarters:
        output, tokens, _ = _totals(measures, rules.weeks)
        groups = peer_groups(_with_weeks(measures, rules.least_weeks)[1], rules.least_peers)
        pooled += _slope(groups, output, tokens, rules.efficiency)
    return Refit(pooled.within(rules.efficiency), pooled.units)


def _with_weeks(measures: Measures, least: int) -> tuple[dict[int, Unit], dict[int, Unit]]:
    """The rows with weeks enough, and those of them that contain no others."""
    enough = np.flatnonzero(measures.present.sum(axis=1) >= least)
    units = {int(i): (measures.families[i], measures.levels[i]) for i in enough}
    return units, {row: unit for row, unit in units.items() if row < len(measures.ids) - measures.wider}


def _totals(measures: Measures, quarter: int) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Output and tokens of each unit's weeks, scaled up to a whole quarter, and how many weeks these are."""
    present = measures.present
    weeks = present.sum(axis=1)
    scale = quarter / np.maximum(weeks, 1)
    output = np.where(present, measures.output, 0.0).sum(axis=1) * scale
    tokens = np.where(present, measures.tokens, 0.0).sum(axis=1) * scale
    # Corrections of earlier usage can outweigh what was spent since.
    return output, np.maximum(tokens, 0.0), weeks


def peer_groups(units: Mapping[int, tuple[str, str]], least: int) -> list[PeerGroup]:
    """Rows by (role family, level).

    Role family × level; a level of too few joins the next one up, a family of too few is compared with everyone.
    """
    by_family: defaultdict[str, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, (family, level) in units.items():
        by_family[family][level].append(row)
    groups: list[PeerGroup] = []
    small: list[int] = []
    for family, by_level in sorted(by_family.items()):
        merged = merged_upward({level: len(rows) for level, rows in by_level.items()}, least)
        if not merged:
            small += [row for rows in by_level.values() for row in rows]
        for levels in merged:
            rows = tuple(sorted(row for level in levels for row in by_level[level]))
            groups.append(PeerGroup(Peers(family, tuple(filter(None, levels)), len(rows)), rows, rows))
    if small and len(units) >= least:
        groups.append(PeerGroup(Peers(EVERYBODY, (), len(units)), tuple(sorted(small)), tuple(sorted(units))))
    return groups


def _wider_groups(
    own: Mapping[int, tuple[str, str]], units: Mapping[int, tuple[str, str]], least: int
) -> Iterable[PeerGroup]:
    """The wider units of each role family among the others of it, or among everyone where these are too few."""
    wider = [row for row in units if row not in own]
    for family in sorted({units[row][0] for row in wider}):
        rows = tuple(sorted(row for row in wider if units[row][0] == family))
        same = tuple(sorted([*(row for row in own if own[row][0] == family), *rows]))
        if len(same) >= least:
            yield PeerGroup(Peers(family, (), len(same)), rows, same)
        elif len(among := tuple(sorted([*own, *rows]))) >= least:
            yield PeerGroup(Peers(EVERYBODY, (), len(among)), rows, among)


def merged_upward(people: Mapping[str, int], least: int) -> list[tuple[str, ...]]:
    """The levels in groups of at least `least` people, from the lowest; the highest join those below where too few.

    No group at all where all levels together are too few.
    """
    groups: list[tuple[str, ...]] = []
    waiting: tuple[str, ...] = ()
    for level in sorted(people, key=lambda level: (LEVELS.index(level) if level in LEVELS else -1, level)):
        waiting += (level,)
        if sum(people[one] for one in waiting) >= least:
            groups.append(waiting)
            waiting = ()
    if waiting and groups:
        groups[-1] += waiting
    return groups


def _slope(groups: Iterable[PeerGroup], output: Floats, tokens: Floats, rules: EfficiencyRules) -> Slope:
    """Of log output over log tokens within the peers of role family and level."""
    own = [group for group in groups if group.peers.role_family != EVERYBODY]
    products = squares = 0.0
    for group in own:
        rows = list(group.rows)
        y = np.log(_kept(output[rows], rules) + float(rules.output_offset))
        x = np.log(tokens[rows] + _offset(tokens[rows], rules))
        products += float((x - x.mean()) @ (y - y.mean()))
        squares += float((x - x.mean()) @ (x - x.mean()))
    return Slope(products, squares, sum(group.peers.size for group in own))


def _kept(output: Floats, rules: EfficiencyRules) -> Floats:
    """Output within the percentiles of the peers."""
    low, high = np.quantile(output, [float(rules.output_low), float(rules.output_high)])
    return np.clip(output, low, high)


def _offset(tokens: Floats, rules: EfficiencyRules) -> float:
    """t0: a share of the peers' median, of their mean where most spent nothing; where no one did it does not matter."""
    return float(rules.tokens_offset) * float(np.median(tokens) or np.mean(tokens) or 1.0)


def _scored(
    group: PeerGroup,
    measures: Measures,
    totals: tuple[Floats, Floats, NDArray[np.int64]],
    elasticity: float,
    rules: AdjustmentRules,
) -> list[tuple[int, Score]]:
    """The scores of a group's rows, each computed among all that it is compared with."""
    among = np.array(group.among)
    output, tokens, weeks = (column[among] for column in totals)
    figures = rules.efficiency
    kept, offset = _kept(output, figures), _offset(tokens, figures)
    residual = np.log(kept + float(figures.output_offset)) - elasticity * np.log(tokens + offset)
    centre, spread = robust.centre_and_spread(residual)
    most = float(figures.most_deviations)
    z = robust.scores(residual, centre, spread, most)
    noise = np.zeros_like(z)
    if spread:
        noise = _noise(measures, among, (elasticity, offset), rules) / spread**2
    tau2 = robust.between(z, noise, most)
    believed, theta, lcb = robust.shrunk(z, noise, tau2, float(figures.confidence))
    # Zero has no sign to be told.
    columns = [
        (np.round(column, DIGITS) + 0.0).tolist() for column in (kept, tokens, residual, z, noise, believed, theta, lcb)
    ]
    tau2, elasticity = round(tau2, DIGITS), round(elasticity, DIGITS)
    rows = set(group.rows)
    return [
        (row, Score(group.peers, n, y, t, e, one, s2, tau2, b, th, low, elasticity))
        for row, n, y, t, e, one, s2, b, th, low in zip(group.among, weeks.tolist(), *columns, strict=True)
        if row in rows
    ]


def _noise(measures: Measures, among: NDArray[np.int64], fitted: tuple[float, float], rules: AdjustmentRules) -> Floats:
    """The variance of each e when its weeks are drawn again.

    Output is not kept within the peers' bounds here: one lucky week must look as uncertain as it is.
    """
    present = measures.present[among]
    weeks = present.sum(axis=1)
    first = np.argsort(~present, axis=1, kind="stable")
    noise = np.zeros(len(among))
    for count in np.unique(weeks).tolist():
        drawn = robust.draws(count, rules.efficiency.draws, rules.efficiency.seed).T * (rules.weeks / count)
        rows = np.flatnonzero(weeks == count)
        for begin in range(0, len(rows), ROWS):
            some = rows[begin : begin + ROWS]
            columns = first[some, :count]
            y = np.take_along_axis(measures.output[among[some]], columns, axis=1) @ drawn
            t = np.maximum(np.take_along_axis(measures.tokens[among[some]], columns, axis=1) @ drawn, 0.0)
            e = np.log(y + float(rules.efficiency.output_offset)) - fitted[0] * np.log(t + fitted[1])
            # A draw of n weeks varies by (n - 1)/n of what another n weeks would.
            noise[some] = np.var(e, axis=1) * count / (count - 1)
    return noise
