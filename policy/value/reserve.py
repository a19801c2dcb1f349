"""What is put aside for tokens that are outstanding, from how much of their grants people really use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.parameters.value import ReserveRules

WHOLE = 1_000
STEP = 50
"""Shares of a group's members are told in twentieths, or they would tell what a single one of them used."""
FEWEST = 20
"""Of fewer people the 95th percentile is what a single one used."""
BIN = 100
BINS = 10


def share(used: Sequence[int], rules: ReserveRules) -> int:
    """The share of outstanding tokens to put aside, in thousandths; all of them while nothing is known of use."""
    if not used:
        return WHOLE
    return min(WHOLE, percentile(used, rules.percentile) + int(rules.margin * WHOLE))


def percentile(used: Sequence[int], percent: int) -> int:
    """What so many percent of people stayed within, rounded up to a twentieth."""
    ordered = sorted(used)
    rank = max(-(-len(ordered) * percent // 100), 1)
    return -(-ordered[rank - 1] // STEP) * STEP


def funded(worst_case: NanoUSD, permille: int) -> NanoUSD:
    """The reserve: such a share of what all outstanding tokens are worth."""
    return NanoUSD(-(-int(worst_case) * permille // WHOLE))


def bins(used: Sequence[int]) -> tuple[int, ...]:
    """How many people used so much of their grants: ten bins of ten points, each with its upper end, and more."""
    counted = [0] * (BINS + 1)
    for permille in used:
        counted[min(max(-(-permille // BIN) - 1, 0), BINS)] += 1
    return tuple(counted)
