"""What an offer comes to: its pay, and beside it the AI use that comes with it, at cost, as issued, and as cash.

The allowance is no pay. Its cost to the company and its worth to a candidate differ, so both are worked out, the second
with a range; what neither can say is from which worth on an offer is the better one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from statistics import median
from typing import TYPE_CHECKING

from policy.units import NanoUSD, divide_half_even

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from policy.parameters.offers import OfferRules

NOTHING = NanoUSD(0)
NO_PRICE = Fraction(0)
MONTHS = 12
_SHARES, _PERMILLE = 10_000, 1_000
"""Shares of a handbook have four decimals, buffers three."""


@dataclass(frozen=True, slots=True)
class Pay:
    """A year's pay in an offer: what is neither AI use nor conditional on it."""

    base: NanoUSD
    bonus: NanoUSD = NOTHING
    equity: NanoUSD = NOTHING

    @property
    def total(self) -> NanoUSD:
        return self.base + self.bonus + self.equity


@dataclass(frozen=True, slots=True)
class Use:
    """A year's AI use that comes with an offer: what it costs whoever pays for it, and what is issued of that."""

    cost: NanoUSD = NOTHING
    issued: NanoUSD = NOTHING


@dataclass(frozen=True, slots=True)
class Package:
    """An offer for a year."""

    pay: Pay
    use: Use = Use()

    @property
    def headline(self) -> NanoUSD:
        """Everything at its cost: the figure that a company likes to tell, and no one can spend."""
        return self.pay.total + self.use.cost

    def at(self, share: Fraction) -> Fraction:
        """What it comes to for someone to whom a dollar of issued AI use is worth this share of a dollar."""
        return int(self.pay.total) + share * int(self.use.issued)


@dataclass(frozen=True, slots=True)
class Range:
    """An amount that is only estimated: at least, probably, at most."""

    low: NanoUSD
    point: NanoUSD
    high: NanoUSD

    def plus(self, amount: NanoUSD) -> Range:
        return Range(self.low + amount, self.point + amount, self.high + amount)


class Better(StrEnum):
    """When the first of two offers is the better one, by what issued AI use is worth to its holder."""

    ALWAYS = "always"
    NEVER = "never"
    SAME = "same"
    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class BreakEven:
    """When an offer is better than another; `share` of the issued value is where both come to the same."""

    better: Better
    share: Fraction | None = None


def allowance(compensation: NanoUSD, share: Decimal, buffer_permille: int) -> Use:
    """What a year's allowance costs, and what is issued of it after the buffer: cost = share × comp, ÷ (1 + b)."""
    cost = NanoUSD(divide_half_even(int(compensation) * _whole(share), _SHARES))
    return Use(cost, NanoUSD(divide_half_even(int(cost) * _PERMILLE, _PERMILLE + buffer_permille)))


def equivalent(use: Use, rules: OfferRules) -> Range:
    """Issued AI use as cash: issued × usable share × (1 − restriction) × (1 − risk), for each restriction."""
    return Range(
        *(
            _as_cash(use.issued, rules, restriction)
            for restriction in (rules.most_restriction, rules.restriction, rules.least_restriction)
        )
    )


def cash(package: Package, rules: OfferRules) -> Range:
    """A package's pay with its AI use as cash."""
    return equivalent(package.use, rules).plus(package.pay.total)


def _as_cash(issued: NanoUSD, rules: OfferRules, restriction: Decimal) -> NanoUSD:
    factors = _whole(rules.usable_share) * (_SHARES - _whole(restriction)) * (_SHARES - _whole(rules.risk))
    return NanoUSD(divide_half_even(int(issued) * factors, _SHARES**3))


def used_as_cash(used: NanoUSD, rules: OfferRules) -> Range:
    """AI use that is over, as cash: what was really used stands for the usable share, and no risk is left."""
    return Range(
        *(
            NanoUSD(divide_half_even(int(used) * (_SHARES - _whole(restriction)), _SHARES))
            for restriction in (rules.most_restriction, rules.restriction, rules.least_restriction)
        )
    )


def break_even(ours: Package, other: Package) -> BreakEven:
    """From which share of the issued value on ours is the better one: where pay + share × issued are the same."""
    ahead = int(ours.pay.total) - int(other.pay.total)
    more_use = int(ours.use.issued) - int(other.use.issued)
    if not more_use:
        return BreakEven(Better.SAME if not ahead else Better.ALWAYS if ahead > 0 else Better.NEVER)
    share = Fraction(-ahead, more_use)
    if more_use > 0:
        if share < 0:
            return BreakEven(Better.ALWAYS)
        return BreakEven(Better.NEVER) if share >= 1 else BreakEven(Better.ABOVE, share)
    if share <= 0:
        return BreakEven(Better.NEVER)
    return BreakEven(Better.ALWAYS) if share >= 1 else BreakEven(Better.BELOW, share)


@dataclass(frozen=True, slots=True)
class Perks:
    """The AI use in another company's offer: credits a year, seats by the month, input and output tokens a month."""

    credits: NanoUSD = NOTHING
    seats_a_month: NanoUSD = NOTHING
    model_tokens_a_month: int = 0

    def use(self, per_model_token: Fraction) -> Use:
        """What a year of it costs at list prices. Nothing is held back of it, so all of it is issued."""
        priced = self.model_tokens_a_month * per_model_token
        tokens = divide_half_even(priced.numerator, priced.denominator)
        usd = NanoUSD(int(self.credits) + MONTHS * (int(self.seats_a_month) + tokens))
        return Use(usd, usd)


def blended(lines: Iterable[tuple[Decimal, Fraction]]) -> Fraction | None:
    """What one input or output token costs in a basket of (share of the spend, price), in nano-USD; None of nothing.

    A dollar buys share ÷ price of each line, so the mean is the harmonic one.
    """
    spent, bought = Fraction(0), Fraction(0)
    for share, price in lines:
        spent += Fraction(share)
        bought += Fraction(share) / price
    return spent / bought if bought else None


LEAST_PEOPLE = 20
"""So many people have to stand behind what a listing says of their use."""


def working_days(month_tokens: int, used_a_day: Sequence[int]) -> int | None:
    """How many days of use a month's tokens are, at the median of what people use on a day on which they use anything.

    To two significant digits; None where too few people stand behind it, or where it is less than a day.
    """
    if len(used_a_day) < LEAST_PEOPLE:
        return None
    days = Fraction(month_tokens) / Fraction(median(used_a_day))
    step = 10 ** max(len(str(int(days))) - 2, 0)
    return divide_half_even(days.numerator, days.denominator * step) * step if days >= 1 else None


def _whole(share: Decimal) -> int:
    return int(share * _SHARES)
