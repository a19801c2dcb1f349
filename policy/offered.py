"""Whether a first grant is what an offer said of the allowance, and if not, why it is another amount.

    offered a month = share × compensation ÷ 12 ÷ (1 + b)

An offer says it for a whole month of a full post; level, projects and the budget are not known of a candidate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.reasons import Reason
from policy.sizing import MONTHS_PER_YEAR, NEUTRAL, WHOLE
from policy.units import NANO_PER_USD, NanoUSD, divide_half_even
from policy.value.valuation import worth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from policy.sizing import Factors

CENT = NANO_PER_USD // 100
"""Closer than this, a year's entitlements are the same but for their rounding."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What an offer said of a year's allowance: `cost` at cost, `issued` after the buffer."""

    share: Decimal
    buffer_permille: int
    cost: NanoUSD
    issued: NanoUSD

    @property
    def a_month(self) -> NanoUSD:
        return NanoUSD(divide_half_even(int(self.issued), MONTHS_PER_YEAR))


@dataclass(frozen=True, slots=True)
class Kept:
    """A first grant beside its offer: both in USD, and why they differ, if they do."""

    offered: NanoUSD
    granted: NanoUSD
    is_as_offered: bool
    because: tuple[Reason, ...]


def beside(offered: Offered, grant: Factors, *, share: Decimal, round_to_tokens: int) -> Kept:
    """A grant beside what was offered; less apart than a grant is rounded, they are the same.

    `share` is the one of compensation that holds for the grant.
    """
    granted = worth(grant.amount, per_token=grant.per_token)
    step = round_to_tokens * int(grant.per_token)
    apart = abs(int(granted) - int(offered.a_month))
    if apart <= step:
        return Kept(offered.a_month, granted, is_as_offered=True, because=())
    return Kept(offered.a_month, granted, is_as_offered=False, because=tuple(_reasons(offered, grant, share)))


def _reasons(offered: Offered, grant: Factors, share: Decimal) -> Iterator[Reason]:
    full = int(grant.steps.full)
    if share != offered.share:
        yield Reason("share", "the rules changed", {"before": f"{offered.share:f}", "after": f"{share:f}"})
    elif abs(full * MONTHS_PER_YEAR - int(offered.cost)) > CENT:
        yield Reason("midpoint", "it follows from the middle of your pay band", {})
    if grant.fte_permille < WHOLE:
        yield Reason("part_time", "your share of a full-time post", {"permille": str(grant.fte_permille)})
    if grant.days_active < grant.days_in_month:
        yield Reason("part_month", "days that count", {"days": f"{grant.days_active}", "of": f"{grant.days_in_month}"})
    if grant.weight != NEUTRAL:
        yield Reason("weight", "level and projects", {"factor": f"{grant.weight:f}"})
    if grant.bound:
        yield Reason(grant.bound, f"the {grant.bound} applies", {})
    elif grant.budget_share < 1:
        yield Reason("budget", "what the budget covers of everyone's grants", {"share": f"{grant.budget_share:f}"})
    if grant.buffer_permille != offered.buffer_permille:
        yield Reason("buffer", "what is held back", {"permille": str(grant.buffer_permille)})
