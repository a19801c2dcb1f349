"""Quantiles of Student's t, also for degrees of freedom that are no whole number."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

STEPS = 300
TINY = 1e-300
ENOUGH = 1e-14
MOST_FREEDOM = 1e6
"""From here on the normal distribution is the same to all digits that are shown."""


def normal_quantile(share: float) -> float:
    return NormalDist().inv_cdf(share)


@lru_cache(maxsize=4_096)
def quantile(share: float, freedom: float) -> float:
    """The value that a t of so many degrees of freedom stays below with the probability `share`, which is over ½."""
    if freedom >= MOST_FREEDOM:
        return normal_quantile(share)
    # Above 0 the distribution bends down, and the normal quantile is below: so each of Newton's steps is too short.
    value = normal_quantile(share)
    for _ in range(STEPS):
        step = (share - below(value, freedom)) / _density(value, freedom)
        value += step
        if step < ENOUGH * value:
            break
    return value


def _density(value: float, freedom: float) -> float:
    half = (freedom + 1) / 2
    front = math.lgamma(half) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    return math.exp(front - half * math.log1p(value * value / freedom))


def below(value: float, freedom: float) -> float:
    """The probability that a t is below a value of at least 0."""
    return 1 - _incomplete_beta(freedom / (freedom + value * value), freedom / 2, 0.5) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, on the side on which its continued fraction is quick."""
    if x >= 1:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Its continued fraction by Lentz's method."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / _not_zero(1 + step * d)
            c = _not_zero(1 + step / c)
            result *= c * d
        if abs(c * d - 1) < ENOUGH:
            break
    return result


def _not_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
