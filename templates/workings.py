"""A monthly grant step by step, as a calculator shows it: the steps of the policy, and which of them say anything."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from policy.sizing import NEUTRAL, WHOLE
from policy.weights import annual_factor

if TYPE_CHECKING:
    from policy.sizing import Factors, Steps


@dataclass(frozen=True, slots=True)
class Working:
    """A grant's factors, and the steps from them to its amount.

    `kept` says that the factors' product was kept within its bounds; `numbered` are the factors that change anything.
    """

    factors: Factors
    steps: Steps
    kept: bool
    numbered: int
    divisor: Decimal


def of(factors: Factors) -> Working:
    steps = factors.steps
    return Working(
        factors=factors,
        steps=steps,
        kept=steps.product != factors.weight,
        numbered=sum(factor != NEUTRAL for factor in _factors(factors)),
        divisor=Decimal(WHOLE + factors.buffer_permille) / WHOLE,
    )


def _factors(factors: Factors) -> tuple[Decimal, ...]:
    """What the weight is the product of."""
    return factors.seniority, factors.complexity, factors.history, annual_factor(factors.annual)
