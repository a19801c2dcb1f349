"""How much of their grants people used beside their peers, and whether the grants are too large instead.

    too large: more than a third of those with a grant used less than .40
    share of compensation: that of the quarter × clip(P90 of the use + .10, .40, 1), to a tenth of a per cent

The figures are those of the packaged handbook.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from policy.reviews.efficiency import peer_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.parameters.reviews import AdjustmentRules, ResizeRules

TENTH_OF_A_PERCENT = Decimal("0.001")
WHOLE = Decimal(1)

Utilisation = tuple[Decimal | None, ...]
"""Quarter by quarter, the latest last; None where there were no grants."""


class Using(NamedTuple):
    """Whose peers someone is, and what they used."""

    role_family: str
    level: str
    utilisation: Utilisation


def of_peers(everybody: Sequence[Using], quarters: int, least: int) -> list[Utilisation]:
    """The median of each one's peers in each of the last quarters, the latest last; None where peers are too few.

    Peers are those of the scores: role family × level, merged upward; of each quarter those whose use is known.
    """
    by_quarter = [_of_quarter(everybody, back, least) for back in range(quarters, 0, -1)]
    return list(zip(*by_quarter, strict=True))


def _of_quarter(everybody: Sequence[Using], back: int, least: int) -> list[Decimal | None]:
    used: dict[int, Decimal] = {}
    for row, one in enumerate(everybody):
        if len(one.utilisation) >= back and (known := one.utilisation[-back]) is not None:
            used[row] = known
    found: list[Decimal | None] = [None] * len(everybody)
    for group in peer_groups({row: everybody[row][:2] for row in used}, least):
        middle = median(used[row] for row in group.among)
        for row in group.rows:
            found[row] = middle
    return found


class TooLarge(NamedTuple):
    """That the grants are: of how many people with one how many used little, and the percentile of their use."""

    people: int
    below: int
    percentile: Decimal


def too_large(used: Sequence[Decimal], rules: AdjustmentRules) -> TooLarge | None:
    """Whether the grants are too large for those whose use of the quarter is known."""
    below = sum(one < rules.use.low_enter for one in used)
    if rules.resize is None or below * rules.resize.one_in <= len(used):
        return None
    # The nearest rank: a use that someone had.
    rank = max(ceil(rules.resize.percentile * len(used)), 1)
    return TooLarge(len(used), below, sorted(used)[rank - 1])


def proposed_share(share: Decimal, found: TooLarge, rules: ResizeRules) -> Decimal:
    """The share of compensation that people's use calls for, where their grants were made with `share`."""
    wanted = min(max(found.percentile + rules.headroom, rules.least), WHOLE)
    return (share * wanted).quantize(TENTH_OF_A_PERCENT, ROUND_HALF_EVEN)


def is_idle(utilisation: Sequence[Decimal | None], quarters: int, rules: ResizeRules) -> bool:
    """Whether someone used next to nothing in each of the last quarters: then it is not the size of the grant."""
    recent = utilisation[-quarters:]
    return len(recent) == quarters and all(one is not None and one < rules.idle_below for one in recent)
