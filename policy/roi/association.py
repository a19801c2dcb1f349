"""What goes together without proof of a cause: tokens and output weeks apart, and output per token in its parts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from policy.counting import many
from policy.reasons import Refusal
from policy.roi import student
from policy.roi.checks import demeaned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.reviews.robust import Floats
    from policy.roi.spread import Draws

HALF = 0.5
LAGS = tuple(range(-4, 9))


class Lag(NamedTuple):
    """Tokens and the output `weeks` later; below 0, the output that came before the tokens."""

    weeks: int
    correlation: float
    low: float
    high: float

    @property
    def stands_out(self) -> bool:
        return self.low > 0 or self.high < 0


class Association(NamedTuple):
    """Correlations of what neither the team nor the week explains. No effect: other things may move both.

    `reversed` if output goes before tokens, at least half as strongly as it follows them: then work may bring about
    spending, rather than spending work.
    """

    lags: tuple[Lag, ...]
    reversed: bool


def lagged(tokens: Floats, output: Floats, draws: Draws, lags: Sequence[int] = LAGS) -> Association:
    """Teams in rows, weeks in columns. Whole teams are drawn again, as a team's weeks hang together."""
    if tokens.shape != output.shape or tokens.shape[0] <= 1 or tokens.shape[1] <= max(map(abs, lags)) + 1:
        told = f"{many(tokens.shape[0], 'team')} in {many(tokens.shape[1], 'week')}"
        raise Refusal("panel_too_small", f"Too few for a lag: {told}.")
    x, y = demeaned(tokens), demeaned(output)
    teams = len(x)
    drawn = np.random.default_rng(draws.seed).multinomial(teams, np.full(teams, 1 / teams), size=draws.most)
    counts = drawn.astype(np.float64)
    found = tuple(_lag(x, y, weeks, counts, draws.level) for weeks in lags)
    # Any of several may stand out by chance: together they are to do so no more often than one.
    before = [weeks for weeks in lags if weeks < 0]
    level = 1 - (1 - draws.level) / max(1, len(before))
    strict = [_lag(x, y, weeks, counts, level) for weeks in before]
    after = max((abs(one.correlation) for one in found if one.weeks >= 0), default=0.0)
    return Association(found, any(one.stands_out and abs(one.correlation) >= HALF * after for one in strict))


def _lag(x: Floats, y: Floats, weeks: int, drawn: Floats, level: float) -> Lag:
    before, after = (x, y) if weeks >= 0 else (y, x)
    apart = abs(weeks)
    a, b = before[:, : before.shape[1] - apart], after[:, apart:]
    sums = np.stack([(a * b).sum(axis=1), (a * a).sum(axis=1), (b * b).sum(axis=1)])
    of_draws = _correlation(drawn @ sums.T)
    found = float(_correlation(sums.sum(axis=1)[None, :])[0])
    # Few teams tell their spread badly, and draws of them too little of it: as for the headline (policy.roi.spread).
    share, teams = (1 + level) / 2, len(x)
    wider = student.quantile(share, teams - 1) / student.normal_quantile(share) * math.sqrt(teams / (teams - 1))
    half = float(np.quantile(np.abs(of_draws - found), level)) * wider
    return Lag(weeks, found, max(-1.0, found - half), min(1.0, found + half))


def _correlation(sums: Floats) -> Floats:
    scale = np.sqrt(sums[:, 1] * sums[:, 2])
    return np.divide(sums[:, 0], scale, out=np.zeros(len(sums)), where=scale > 0)


class Split(NamedTuple):
    """How output per token has changed, as the difference of two changes, all in logarithms.

    Spending 13 % less with flat output raises it as much as delivering 15 % more: so both are always told.
    """

    output: float
    tokens: float

    @property
    def ratio(self) -> float:
        return self.output - self.tokens


def split(output: tuple[float, float], tokens: tuple[float, float]) -> Split | None:
    """Before and after of each; None where one of them is 0."""
    if min(*output, *tokens) <= 0:
        return None
    return Split(math.log(output[1] / output[0]), math.log(tokens[1] / tokens[0]))
