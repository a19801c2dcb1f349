"""A monthly grant worked out step by step, with the policy's own roundings: what a calculator shows in between."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from policy.sizing import FACTOR, NEUTRAL, TEN_THOUSAND, WHOLE
from policy.units import MICRO_PER_TOKEN, MicroTokens, NanoUSD, divide_half_even

if TYPE_CHECKING:
    from policy.sizing import Factors


@dataclass(frozen=True, slots=True)
class Working:
    """The figures between a grant's factors and its amount.

    `full` is the entitlement of a full-time month, `product` that of the three factors before it was kept within
    its bounds. `weighted` is the entitlement × weight × adjustment, `issued` the tokens which that buys, `scaled` what
    the budget leaves of them: the amount before floor, cap and rounding. `numbered` are the factors that change
    anything.
    """

    factors: Factors
    full: NanoUSD
    product: Decimal
    kept: bool
    numbered: int
    divisor: Decimal
    weighted: NanoUSD
    issued: MicroTokens
    scaled: MicroTokens


def of(factors: Factors) -> Working:
    """The steps of `policy.sizing`, taken again from what the grant keeps of them."""
    three = (factors.seniority, factors.complexity, factors.history)
    product = (three[0] * three[1] * three[2]).quantize(FACTOR, ROUND_HALF_EVEN)
    weighted = int(factors.entitlement)
    for factor in (factors.weight, factors.adjustment):
        weighted = divide_half_even(weighted * int(factor * TEN_THOUSAND), TEN_THOUSAND)
    price = int(factors.per_token) * (WHOLE + factors.buffer_permille)
    issued = weighted * MICRO_PER_TOKEN * WHOLE // price
    return Working(
        factors=factors,
        full=_of_a_full_post_and_month(factors),
        product=product,
        kept=product != factors.weight,
        numbered=sum(factor != NEUTRAL for factor in three),
        divisor=Decimal(WHOLE + factors.buffer_permille) / WHOLE,
        weighted=NanoUSD(weighted),
        issued=MicroTokens(issued),
        scaled=MicroTokens(int(issued * factors.budget_share)),
    )


def _of_a_full_post_and_month(factors: Factors) -> NanoUSD:
    part = factors.fte_permille * factors.days_active
    if not part:
        return factors.entitlement
    return NanoUSD(divide_half_even(int(factors.entitlement) * WHOLE * factors.days_in_month, part))
