"""Where the programme stands, for its board."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from policy.period import Month
    from policy.units import NanoUSD


@dataclass(frozen=True, slots=True)
class Histogram:
    """How much of their grants people used over some months: (from percent, to percent, how many people).

    The last bin has no upper end. None where it is not told; everything is, while there are too few people. Median and
    95th percentile are rounded up to twentieths. No bin is told of fewer than `least`.
    """

    people: int
    bins: tuple[tuple[int, int | None, int | None], ...]
    median_permille: int | None
    p95_permille: int | None
    months: str
    least: int = 5


@dataclass(frozen=True, slots=True)
class ProgrammeFigures:
    """Three figures that are never mixed: what people are entitled to this month, what is put aside, what it cost.

    `worst_case` is what all outstanding tokens are worth, `reserve_permille` the share of it that is funded. The phase
    is None before the baseline, and `months_since_launch` while no launch is set.
    """

    month: Month
    entitled: NanoUSD
    funded: NanoUSD
    worst_case: NanoUSD
    reserve_permille: int
    consumed: NanoUSD
    phase: int | None
    months_since_launch: int | None
    next_review: date
    utilisation: Histogram
