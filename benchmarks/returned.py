"""The estimate of a large company beside the bare products of matrices that it cannot do without."""

from __future__ import annotations

import gc
import tracemalloc
from time import perf_counter
from typing import NamedTuple

import numpy as np

from policy.roi import effects, spread
from policy.roi.estimate import estimate
from policy.roi.panel import Panel, design_of
from policy.roi.spread import Draws

WAVES = (7, 11, 13, 15, 37)
"""Of 36 months; the last wave is never treated within them."""
MONTHS = 36
PERMUTATIONS = 2_000


class Measured(NamedTuple):
    """Seconds of an estimate and of its bare products, and the most memory that the estimate held, in MiB."""

    ours: float
    floor: float
    memory: float


def company(teams: int) -> Panel:
    chance = np.random.default_rng(1)
    first = np.array(WAVES)[chance.integers(0, len(WAVES), teams)]
    outcome = chance.normal(0, 1, (teams, 1)) + chance.normal(0, 0.2, (teams, MONTHS))
    names = tuple(f"team-{i:06}" for i in range(teams))
    return Panel(names, tuple(range(1, MONTHS + 1)), outcome, first.astype(np.int64))


def measure(teams: int) -> Measured:
    panel = company(teams)
    draws = Draws(PERMUTATIONS)
    ours = min(_timed(lambda: estimate(panel, "not-yet", "permutation", draws)) for _ in range(3))
    floor = min(_timed(lambda: _products(panel)) for _ in range(3))
    gc.collect()
    tracemalloc.start()
    estimate(panel, "not-yet", "permutation", draws)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Measured(ours, floor, peak / 2**20)


def _timed(work: object) -> float:
    begin = perf_counter()
    work()  # type: ignore[operator]
    return perf_counter() - begin


def _products(panel: Panel) -> None:
    """Who is in which wave times figures, for outcome and treatment, and the means times the weights: nothing else."""
    design, cohort = design_of(panel)
    weights = effects.estimands(design, "not-yet").weights.T.copy()
    both = np.hstack([panel.outcome, panel.treated])
    at_once = max(1, spread.AT_ONCE // (len(cohort) * len(design.sizes)))
    member = np.ascontiguousarray(
        np.tile((np.arange(len(design.sizes))[:, None] == cohort).astype(float), (at_once, 1))
    )
    for _ in range(0, PERMUTATIONS, at_once):
        means = (member @ both).reshape(at_once, len(design.sizes), -1)
        for part in (means[:, :, :MONTHS], means[:, :, MONTHS:]):
            part.reshape(at_once, -1) @ weights
