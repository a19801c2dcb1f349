"""Simulated companies with planted effects: what the estimators say of them, and what simpler methods would claim.

Teams come in four waves, in months 0, 4, 6 and 8, after six months of baseline, by lot or seniors first. Their monthly
output has a level of its own, a trend, a December that all share, and luck that lasts from one month into the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from policy.roi import effects
from policy.roi.estimate import estimate
from policy.roi.panel import Panel, design_of
from policy.roi.spread import Draws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.reviews.robust import Floats
    from policy.roi.spread import Method

WAVES = (0, 4, 6, 8)
MONTHS = tuple(range(-6, 12))
LEVELS, LUCK, LASTS = 0.5, 0.2, 0.3
"""Standard deviations in logarithms: of teams' levels, of a month's luck; how much of that luck the next month has."""
TREND, DECEMBER = 0.015, -0.25
GROWS = 6
"""Months in which an effect that grows becomes the full one."""
RUNS, DRAWS = 200, 400


@dataclass(frozen=True, slots=True)
class Company:
    """What is planted: so many teams, an effect on output, and how the world is."""

    teams: int
    effect: float
    by_lot: bool = True
    moves: bool = True
    """Whether there are a trend and a December."""
    grows: bool = False

    @property
    def told(self) -> str:
        how = "by lot" if self.by_lot else "seniors first"
        return f"{how}, {'trend and season' if self.moves else 'nothing moves'}{', effect grows' if self.grows else ''}"


@dataclass(frozen=True, slots=True)
class Found:
    """Over many companies of a kind: bias, coverage of the 90 % interval, how often an effect is claimed."""

    truth: float
    bias: float
    covered: float
    claimed: float
    without_interval: float
    twfe: float
    twfe_claimed: float
    naive: float


def companies(kind: Company, runs: int, seed: int = 1) -> Iterator[tuple[Panel, Floats]]:
    """Panels of a kind in logarithms, each with the effects that are in it."""
    for run in range(runs):
        chance = np.random.default_rng([seed, run, kind.teams])
        level = np.sort(chance.normal(0, LEVELS, kind.teams))[::-1]
        wave = np.arange(kind.teams) * len(WAVES) // kind.teams
        if kind.by_lot:
            wave = chance.permutation(wave)
        first = np.array(WAVES)[wave]
        since = np.array(MONTHS)[None, :] - first[:, None]
        share = np.clip((since + 1) / GROWS, 0, 1) if kind.grows else 1.0
        planted = np.log1p(kind.effect * np.where(since >= 0, share, 0.0))
        outcome = level[:, None] + planted + _luck(kind.teams, chance) + (_moves() if kind.moves else 0)
        units = tuple(f"team-{i:03}" for i in range(kind.teams))
        yield Panel(units, MONTHS, outcome, first.astype(np.int64)), planted


def _luck(teams: int, chance: np.random.Generator) -> Floats:
    luck = chance.normal(0, LUCK, (teams, len(MONTHS)))
    for month in range(1, len(MONTHS)):
        luck[:, month] = LASTS * luck[:, month - 1] + np.sqrt(1 - LASTS**2) * luck[:, month]
    return luck


def _moves() -> Floats:
    months = np.array(MONTHS)
    return np.asarray(TREND * months + np.where(months % 12 == 11, DECEMBER, 0.0))


def measure(kind: Company, runs: int = RUNS, draws: int = DRAWS, seed: int = 1) -> Found:
    """What the real functions say of many companies of a kind."""
    method: Method = "permutation" if kind.by_lot else "bootstrap"
    rows = []
    for panel, planted in companies(kind, runs, seed):
        found = estimate(panel, "not-yet", method, Draws(draws, seed))
        truth, mean, check = _headline(panel.with_outcome(planted)), found.mean, found.twfe
        low, high = -np.inf if mean.low is None else mean.low, np.inf if mean.high is None else mean.high
        assert check is not None
        assert check.low is not None
        assert check.high is not None
        claims = low > 0 or high < 0
        twfe_claims = check.low > 0 or check.high < 0
        unknown = mean.low is None and mean.high is None
        row = (truth, mean.estimate - truth, low <= truth <= high, claims, unknown, check.estimate, twfe_claims)
        rows.append((*row, found.before_after))
    return Found(*(float(one) for one in np.mean(np.array(rows, dtype=np.float64), axis=0)))


def _headline(panel: Panel) -> float:
    """The same average of the planted effects themselves."""
    design, cohort = design_of(panel)
    found = effects.estimands(design, "not-yet")
    return float(found.of(effects.cohort_means(panel.outcome, cohort, design.sizes))[0, 0])


KINDS = (
    *(Company(teams, effect) for teams in (6, 12, 24, 60) for effect in (0.0, 0.05, 0.15, 0.30)),
    *(Company(24, effect, moves=False) for effect in (0.0, 0.15)),
    *(Company(24, effect, by_lot=False) for effect in (0.0, 0.15)),
    Company(24, 0.15, grows=True),
    Company(24, 0.15, by_lot=False, grows=True),
)


def main(runs: int = RUNS) -> None:
    """Print what was found of each kind of company."""
    print(f"{runs} companies of each kind, {DRAWS} draws; effects in logarithms")
    print(
        f"{'teams':>5} {'planted':>7} {'truth':>7} {'bias':>7} {'covered':>7} {'claimed':>7} {'no int.':>7}"
        f" {'twfe':>7} {'claimed':>7} {'naive':>7}"
    )
    for kind in KINDS:
        found = measure(kind, runs)
        print(
            f"{kind.teams:>5} {kind.effect:>7.0%} {found.truth:>7.3f} {found.bias:>+7.3f} {found.covered:>7.1%}"
            f" {found.claimed:>7.1%} {found.without_interval:>7.1%} {found.twfe:>+7.3f} {found.twfe_claimed:>7.1%}"
            f" {found.naive:>+7.3f}  {kind.told}",
            flush=True,
        )


if __name__ == "__main__":
    main()
