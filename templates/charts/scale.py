"""The round figures of an axis."""

from __future__ import annotations


def ticks(most: float) -> list[float]:
    """Two to five round steps above 0, the last of them at or above `most`."""
    if most <= 0:
        return []
    exponent = 10.0 ** (len(f"{most:.0f}") - 1) if most >= 1 else 1.0
    while exponent > most:
        exponent /= 10
    step = next(s * exponent for s in (0.25, 0.5, 1, 2, 2.5) if most / (s * exponent) <= 4)  # noqa: PLR2004 - four lines are enough
    count = -int(-most // step)
    return [step * (i + 1) for i in range(count)]
