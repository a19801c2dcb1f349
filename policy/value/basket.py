"""The market basket behind the token's value: Laspeyres as the official index, Paasche and Fisher as checks.

Prices are exact fractions of nano-USD per unit; shares are decimals that add up to 1.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from policy.reasons import Reason
from policy.units import split_by_largest_remainder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Key = tuple[str, str, str, str]
"""(provider, model, tier, meter)"""
Id = tuple[str, ...]
"""A line of a basket: its slot's name, or the key of its model."""

INDEX_STEP = Decimal("0.000000001")
SHARE_STEPS = 1_000_000


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a basket; `link_price` is what a unit cost when the basket was linked, None where no one knew.

    A line of a `slot` keeps its name when another model fills it; `key` is then that of the model of now.
    """

    key: Key
    class_: str
    share: Decimal
    link_price: Fraction | None
    slot: str = ""

    @property
    def id(self) -> Id:
        return (self.slot,) if self.slot else self.key

    @property
    def provider(self) -> str:
        return self.key[0]


@dataclass(frozen=True, slots=True)
class Line:
    """An item now: its price relative to the link, and what that adds to the index; `imputed` from its class."""

    item: Item
    price: Fraction | None
    relative: Fraction
    imputed: bool

    @property
    def contribution(self) -> Decimal:
        return rounded(Fraction(self.item.share) * self.relative)


@dataclass(frozen=True, slots=True)
class Index:
    """A basket's index in a quarter.

    `laspeyres`, `paasche` and `fisher` are relative to the link; the last two are None without spend to weigh by.
    `divergence` is |L/F − 1|, `mix` is L/P − 1: by how much people have moved to what became cheaper.
    """

    lines: tuple[Line, ...]
    level: Decimal
    laspeyres: Decimal
    paasche: Decimal | None
    fisher: Decimal | None
    divergence: Decimal | None
    mix: Decimal | None
    because: tuple[Reason, ...]


def index(
    items: Sequence[Item],
    prices: Mapping[Id, Fraction | None],
    *,
    link_index: Decimal,
    later_shares: Mapping[Id, Decimal] | None = None,
) -> Index:
    """I_q = I_link × Σ s × p(q) / p(link); an item without a price takes the mean change of its class."""
    lines = tuple(_lines(items, prices))
    laspeyres = sum((Fraction(line.item.share) * line.relative for line in lines), Fraction(0))
    paasche = _paasche(lines, later_shares or {})
    fisher = rounded(laspeyres * paasche).sqrt() if paasche is not None else None
    return Index(
        lines=lines,
        level=rounded(Fraction(link_index) * laspeyres),
        laspeyres=rounded(laspeyres),
        paasche=rounded(paasche) if paasche is not None else None,
        fisher=fisher.quantize(INDEX_STEP, ROUND_HALF_EVEN) if fisher is not None else None,
        divergence=abs(rounded(laspeyres) / fisher - 1).quantize(INDEX_STEP) if fisher is not None else None,
        mix=rounded(laspeyres / paasche - 1) if paasche is not None else None,
        because=tuple(
            Reason("class_mean", f"{' '.join(filter(None, line.item.id))} has no price: its class speaks for it")
            for line in lines
            if line.imputed
        ),
    )


def _lines(items: Sequence[Item], prices: Mapping[Id, Fraction | None]) -> Iterator[Line]:
    known = {
        item.id: price / item.link_price
        for item in items
        if (price := prices.get(item.id)) is not None and item.link_price is not None
    }
    for item in items:
        relative = known.get(item.id)
        others = [other for other in items if other.id in known]
        of_class = [other for other in others if other.class_ == item.class_]
        mean = _mean(of_class or others, known) if relative is None else relative
        yield Line(item, prices.get(item.id), mean, imputed=relative is None)


def _mean(items: Sequence[Item], relatives: Mapping[Id, Fraction]) -> Fraction:
    weight = sum((Fraction(item.share) for item in items), Fraction(0))
    if not weight:
        return Fraction(1)
    return sum((Fraction(item.share) * relatives[item.id] for item in items), Fraction(0)) / weight


def _paasche(lines: Sequence[Line], shares: Mapping[Id, Decimal]) -> Fraction | None:
    """1 ÷ Σ s(q) × p(link) / p(q), over the items of the basket that were spent on."""
    total = sum((Fraction(shares.get(line.item.id, 0)) for line in lines), Fraction(0))
    if not total:
        return None
    inverse = sum((Fraction(shares.get(line.item.id, 0)) / line.relative for line in lines), Fraction(0))
    return total / inverse


def shares_of(spend: Mapping[Key, Fraction], provider_cap: Decimal | None) -> dict[Key, Decimal]:
    """Shares of a spend, as they are.

    Where a handbook has a cap, no provider is above it: what it had more goes to the others in proportion. Where too
    few providers were used for that, the cap gives way.
    """
    by_provider: defaultdict[str, Fraction] = defaultdict(Fraction)
    for key, spent in spend.items():
        by_provider[key[0]] += spent
    total = sum(by_provider.values(), Fraction(0))
    of_spend = {provider: spent / total for provider, spent in by_provider.items()}
    allowed = of_spend if provider_cap is None else _capped(by_provider, Fraction(provider_cap))
    weights = {key: spent / by_provider[key[0]] * allowed[key[0]] for key, spent in spend.items() if spent}
    common = 10**18
    keys = sorted(weights)
    parts = split_by_largest_remainder(SHARE_STEPS, [int(weights[key] * common) for key in keys])
    return {key: Decimal(part) / SHARE_STEPS for key, part in zip(keys, parts, strict=True) if part}


def _capped(spend: Mapping[str, Fraction], cap: Fraction) -> dict[str, Fraction]:
    used = {provider for provider, spent in spend.items() if spent}
    if cap * len(used) < 1:
        cap = Fraction(1, len(used))
    held: set[str] = set()
    while True:
        free = sum((spend[provider] for provider in used - held), Fraction(0))
        left = 1 - cap * len(held)
        shares = {p: cap if p in held else spend[p] / free * left for p in used}
        over = {provider for provider, share in shares.items() if share > cap}
        if not over:
            return shares
        held |= over


def rounded(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / value.denominator).quantize(INDEX_STEP, ROUND_HALF_EVEN)
