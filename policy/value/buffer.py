"""What is held back at issue against price rises: a shrunken spread of the index's quarterly changes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from policy.units import divide_half_even

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.parameters.value import BufferRules

SPREAD_STEP = Decimal("0.000001")
PERMILLE = Decimal("0.001")
TWO = 2


@dataclass(frozen=True, slots=True)
class Buffer:
    """`quarters` changes were seen, with the spread `seen`; with the prior they make `sigma`, and that `permille`."""

    quarters: int
    seen: Decimal
    sigma: Decimal
    permille: int


def buffer(levels: Sequence[Decimal], rules: BufferRules) -> Buffer:
    """The buffer after a history of index levels, one a quarter, oldest first."""
    changes = [(after / before).ln() for before, after in pairwise(levels)]
    return of_spread(len(changes), _spread(changes), rules)


def of_spread(quarters: int, seen: Decimal, rules: BufferRules) -> Buffer:
    """σ² = (ν0·σ0² + (n−1)·s²) / (ν0 + n − 1), and b = exp(q·σ·√h) − 1 + announced, within bounds.

    b is rounded to a tenth of a percent, so that people can work with it.
    """
    freedom = max(quarters - 1, 0)
    variance = (rules.prior_quarters * rules.prior_sd**2 + freedom * seen**2) / (rules.prior_quarters + freedom)
    sigma = variance.sqrt()
    rise = (rules.quantile * sigma * Decimal(rules.horizon_quarters).sqrt()).exp() - 1 + rules.announced_change
    bounded = min(max(rise, rules.least), rules.most).quantize(PERMILLE, ROUND_HALF_EVEN)
    return Buffer(
        quarters,
        seen.quantize(SPREAD_STEP, ROUND_HALF_EVEN),
        sigma.quantize(SPREAD_STEP, ROUND_HALF_EVEN),
        int(bounded * 1_000),
    )


def _spread(changes: Sequence[Decimal]) -> Decimal:
    """The sample standard deviation; 0 of fewer than two changes."""
    if len(changes) < TWO:
        return Decimal(0)
    mean = sum(changes, Decimal(0)) / len(changes)
    return (sum(((change - mean) ** 2 for change in changes), Decimal(0)) / (len(changes) - 1)).sqrt()


def value_in_nano_usd(base_nano_usd: int, level: Decimal) -> int:
    """V = base × I in nano-USD, rounded to a millionth of a dollar, halves to the even one."""
    numerator, denominator = level.as_integer_ratio()
    return divide_half_even(base_nano_usd * numerator, denominator * 1_000) * 1_000
