"""Appeals against a cut: who may decide one, and what it costs to undo a cut that has held already."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN
from typing import TYPE_CHECKING

from policy.sizing import FACTOR, readjusted
from policy.units import MICRO_PER_TOKEN, MicroTokens
from policy.value.valuation import TokenValue

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from decimal import Decimal

    from policy.parameters.grants import SizingRules
    from policy.period import Month
    from policy.sizing import Factors

OPEN, UPHELD, REJECTED, LAPSED = "open", "upheld", "rejected", "lapsed"
SUSPENDING = (OPEN, UPHELD)
"""While an appeal is in one of these states the cut does not hold."""


def deciders(
    seats: Iterable[str],
    *,
    concerned: Container[str],
    case_decided_by: str | None,
    voted: Container[str],
    called_in: Iterable[str] = (),
) -> frozenset[str]:
    """Those of the board who may decide an appeal.

    Never the person or their manager (`concerned`), nor anyone who held or amended the case. Voters on the package do
    not, unless that leaves no one, or they are `called_in` as the chair or finance because no one decided in time.
    """
    able = frozenset(seat for seat in seats if seat not in concerned and seat != case_decided_by)
    fresh = frozenset(seat for seat in able if seat not in voted)
    return (fresh or able) | able.intersection(called_in)


@dataclass(frozen=True, slots=True)
class CutMonth:
    """A grant that a cut made smaller, and the adjustment that it would have had without."""

    month: Month
    factors: Factors
    restored: Decimal
    rules: SizingRules


def owed_back(cut: Iterable[CutMonth]) -> MicroTokens:
    """What a person is short of: their grants with the adjustments restored, less those they got."""
    return MicroTokens(sum(_short(one) for one in cut))


def _short(cut: CutMonth) -> int:
    """Both are worked out before rounding, and the difference is rounded up to whole steps: never below zero."""
    if cut.restored <= cut.factors.adjustment:
        return 0
    return _between(cut.month, cut.rules, (cut.factors, cut.factors.adjustment), (cut.factors, cut.restored))


@dataclass(frozen=True, slots=True)
class ReviewedMonth:
    """A grant that the annual review made smaller."""

    month: Month
    factors: Factors
    rules: SizingRules


def taken(reviewed: Iterable[ReviewedMonth]) -> MicroTokens:
    """What the annual review took of some grants: those without its factor, less those that were given."""
    return MicroTokens(sum(map(_taken, reviewed)))


def _taken(one: ReviewedMonth) -> int:
    without = replace(one.factors, weight=_weight_without_annual(one.factors, one.rules), annual=None)
    if without.weight <= one.factors.weight:
        return 0
    adjustment = one.factors.adjustment
    return _between(one.month, one.rules, (one.factors, adjustment), (without, adjustment))


def _weight_without_annual(factors: Factors, rules: SizingRules) -> Decimal:
    """The weight that a grant would have had without an annual review."""
    product = factors.seniority * factors.complexity * factors.history
    return min(max(product, rules.least_weight), rules.most_weight).quantize(FACTOR, ROUND_HALF_EVEN)


def _between(month: Month, rules: SizingRules, got: tuple[Factors, Decimal], without: tuple[Factors, Decimal]) -> int:
    """How much smaller a grant is than another one, each with its adjustment, in whole steps."""
    factors = got[0]
    # As the grant has it: its buffer is what was held back at issue.
    value = TokenValue(month.quarter, "as granted", int(factors.per_token), buffer_permille=factors.buffer_permille)
    step = rules.round_to_tokens * MICRO_PER_TOKEN
    had, has = (readjusted(one, adjustment, rules, value) for one, adjustment in (without, got))
    return -(-(had - has) // step) * step
