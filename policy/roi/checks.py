"""What others would have claimed from the same panel: before against after, and two-way fixed effects."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from policy.roi import student

if TYPE_CHECKING:
    from policy.reviews.robust import Floats
    from policy.roi.panel import Panel

LEAST = 1e-12
"""What is left of a treatment that unit and period explain fully is rounding."""


class FixedEffects(NamedTuple):
    """The coefficient of two-way fixed effects, its interval by clusters, and how it weighs the treated cells.

    `negative_share` of the treated cells count with the wrong sign; their weights sum to `negative_weight`.
    """

    estimate: float
    low: float | None
    high: float | None
    negative_share: float
    negative_weight: float


def two_way(panel: Panel, level: float) -> FixedEffects | None:
    """None where unit and period explain the treatment fully."""
    rest = demeaned(panel.treated)
    total = float((rest**2).sum())
    if total < LEAST:
        return None
    estimate = float((rest * panel.outcome).sum() / total)
    left = demeaned(panel.outcome) - estimate * rest
    units = len(panel.units)
    scores = (rest * left).sum(axis=1)
    half = None
    if units > 1:
        error = math.sqrt(float((scores**2).sum()) * units / (units - 1)) / total
        half = student.quantile((1 + level) / 2, units - 1) * error
    weights = rest[panel.treated > 0] / rest[panel.treated > 0].sum()
    negative = weights < -LEAST
    return FixedEffects(
        estimate,
        None if half is None else estimate - half,
        None if half is None else estimate + half,
        float(negative.mean()),
        float(weights[negative].sum()),
    )


def demeaned(figures: Floats) -> Floats:
    """What neither the unit nor the period explains."""
    by_unit, by_period = figures.mean(axis=1, keepdims=True), figures.mean(axis=0, keepdims=True)
    return np.asarray(figures - by_unit - by_period + figures.mean())


def before_after(panel: Panel) -> float:
    """The treated units after against the same before, as if nothing else had changed."""
    treated = panel.treated
    some = treated.sum(axis=1) > 0
    after = (panel.outcome * treated).sum(axis=1)[some] / treated.sum(axis=1)[some]
    before = (panel.outcome * (1 - treated)).sum(axis=1)[some] / (1 - treated).sum(axis=1)[some]
    return float((after - before).mean())
