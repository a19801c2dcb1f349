"""How much of a basket is one provider's, and what its prices alone did to the index. Nothing is capped; it is told."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from policy.value.basket import rounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from policy.value.basket import Item, Line


@dataclass(frozen=True, slots=True)
class Largest:
    """The provider with the largest share, and by how much the index changed on its account alone."""

    provider: str
    share: Decimal
    change: Decimal


def largest_share(items: Iterable[Item]) -> tuple[str, Decimal]:
    """(provider, its share of the basket); of equal ones the first by name."""
    shares: defaultdict[str, Decimal] = defaultdict(Decimal)
    for item in items:
        shares[item.provider] += item.share
    return min(shares.items(), key=lambda one: (-one[1], one[0]))


def largest(items: Sequence[Item], lines: Sequence[Line], before: Sequence[Fraction]) -> Largest:
    """Of the basket from now on; the change is that since `before`, the relatives of the old basket's lines then.

    As if all other prices had stood still. What a line without a price takes from its class is not its provider's.
    """
    provider, share = largest_share(items)
    level = sum((Fraction(line.item.share) * was for line, was in zip(lines, before, strict=True)), Fraction(0))
    moved = sum(
        (
            Fraction(line.item.share) * (line.relative - was)
            for line, was in zip(lines, before, strict=True)
            if line.item.provider == provider and not line.imputed
        ),
        Fraction(0),
    )
    return Largest(provider, share, rounded(moved / level))
