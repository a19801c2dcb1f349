"""Statistics that a few odd figures cannot move: robust scores, noise by drawing weeks again, shrinkage."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from policy.jumps import CONSISTENT

if TYPE_CHECKING:
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float64]"

CONSISTENT_MEAN = 1.2533
"""Makes the mean absolute deviation of normal figures their standard deviation."""
LEAST_SPREAD = 1e-9
"""Figures that differ by less are equal: what differs is their rounding."""


def centre_and_spread(values: Floats) -> tuple[float, float]:
    """Median and robust standard deviation: from the mean deviation where most are equal, 0 where all are."""
    centre = float(np.median(values))
    away = np.abs(values - centre)
    for spread in (CONSISTENT * float(np.median(away)), CONSISTENT_MEAN * float(np.mean(away))):
        if spread > LEAST_SPREAD:
            return centre, spread
    return centre, 0.0


def scores(values: Floats, centre: float, spread: float, most: float) -> Floats:
    """How many spreads each is from the centre, at most so many; 0 for all where nothing is spread."""
    if not spread:
        return np.zeros_like(values)
    return np.clip((values - centre) / spread, -most, most)


@lru_cache(maxsize=64)
def draws(weeks: int, count: int, seed: int) -> Floats:
    """How often each of the weeks is drawn in each of `count` draws with replacement: the same for the same seed."""
    chance = random.Random(f"{seed} {weeks}")  # noqa: S311 - draws of weeks, not of secrets
    counted = np.zeros((count, weeks))
    for row in counted:
        for week in chance.choices(range(weeks), k=weeks):
            row[week] += 1
    counted.setflags(write=False)
    return counted


def between(values: Floats, noise: Floats, most: float) -> float:
    """τ²: how much of the variance of `values` is left when the mean of their noise is taken off; never below 0.

    Values are within ±`most`, so no noise counts for more than its square: one who is all noise hides no one else.
    """
    if len(values) <= 1:
        return 0.0
    return max(0.0, float(np.var(values, ddof=1)) - float(np.mean(np.minimum(noise, most * most))))


def shrunk(values: Floats, noise: Floats, tau2: float, confidence: float) -> tuple[Floats, Floats, Floats]:
    """B, θ and LCB: how far a score is to be believed, what is left of it, and the lower bound of that."""
    total = tau2 + noise
    believed = np.divide(tau2, total, out=np.zeros_like(total), where=total > 0)
    kept = believed * values
    return believed, kept, kept - confidence * np.sqrt(believed * noise)
