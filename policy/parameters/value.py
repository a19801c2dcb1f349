"""What a token is worth, what is held back at issue, and what is put aside for what is outstanding."""

# ruff: noqa: TC001, TC003 - the types of fields are read at run time

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from policy.declared import Between, Factor, OneOf, Share
from policy.metering import METERS, Meter
from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUE_METHODS = ("fixed", "basket")
FUNDINGS = ("inside", "on_top")
PRICE, OVERLAP = "price", "overlap"
"""What a change of a slot's model does: the new model's price against the old one's, or nothing by itself."""


@dataclass(frozen=True, slots=True)
class IndexRules:
    """How the basket's index is kept: two thresholds, and in earlier handbooks the cap of one provider's share."""

    reweight_divergence: Share
    second_person_above: Share
    provider_cap: Share | None = None


@dataclass(frozen=True, slots=True)
class BufferRules:
    """What is held back at issue against price rises; `prior_*` is what is assumed before there is a history."""

    funding: Annotated[str, OneOf(FUNDINGS)]
    prior_quarters: Annotated[int, Between(1, 100)]
    prior_sd: Share
    quantile: Factor
    horizon_quarters: Annotated[int, Between(1, 8)]
    least: Share
    most: Share
    announced_change: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketItem:
    """A line of an earlier handbook's basket: one meter of one model, its class, and its share of the spend.

    From `retired_on` on it has no price of its own, and takes the mean change of its class.
    """

    provider: str
    model: str
    tier: str = ""
    meter: Annotated[Meter, OneOf(METERS)]
    class_: str
    share: Share
    retired_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotModel:
    """The model that fills a slot from a day on, and how the change to it counts."""

    from_: date
    provider: str
    model: str
    compare: Annotated[str, OneOf((PRICE, OVERLAP))] = PRICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A class of work that people buy, by meter and tier, its share of the spend, and the models that fill it in turn.

    From `retired_on` on it takes the mean change of its class.
    """

    name: str
    class_: str
    tier: str = ""
    meter: Annotated[Meter, OneOf(METERS)]
    share: Share
    models: tuple[SlotModel, ...]
    retired_on: date | None = None

    def filled_on(self, day: date) -> SlotModel:
        """The model of a day; before the first one's, that one."""
        return next((one for one in reversed(self.models) if one.from_ <= day), self.models[0])

    def retired_by(self, day: date) -> bool:
        return self.retired_on is not None and self.retired_on <= day


@dataclass(frozen=True, slots=True)
class ValueRules:
    """What a token is worth: `usd_per_token` in the base quarter, and how later quarters follow from it.

    The starting basket is either of slots or, in earlier handbooks, of fixed models.
    """

    method: Annotated[str, OneOf(VALUE_METHODS)]
    usd_per_token: NanoUSD
    index: IndexRules
    buffer: BufferRules
    basket: tuple[BasketItem, ...] = ()
    slots: tuple[Slot, ...] = ()

    @property
    def lines(self) -> int:
        """How many things the starting basket holds."""
        return len(self.slots or self.basket)


@dataclass(frozen=True, slots=True)
class ReserveRules:
    """What is put aside for outstanding tokens: the share that so many percent of people keep within, and a margin."""

    percentile: Annotated[int, Between(50, 100)]
    months: Annotated[int, Between(1, 12)]
    margin: Share


def value_contradictions(value: ValueRules) -> Iterator[str]:
    """What each key of `[value]` allows alone, and the whole does not."""
    if value.buffer.least > value.buffer.most:
        yield f"value.buffer.least = {value.buffer.least}: above value.buffer.most"
    if value.basket and value.slots:
        yield "value.basket: stands beside value.slots; keep those"
    lines: tuple[BasketItem | Slot, ...] = value.slots or value.basket
    if value.method == "basket" and sum(one.share for one in lines) != 1:
        name = "slots" if value.slots else "basket"
        yield f"value.{name}: the shares add up to {sum(one.share for one in lines)}, not to 1"
    yield from _basket_contradictions(value)
    yield from _slot_contradictions(value.slots)


def _basket_contradictions(value: ValueRules) -> Iterator[str]:
    shares: defaultdict[str, Decimal] = defaultdict(Decimal)
    seen: set[tuple[str, ...]] = set()
    for item in value.basket:
        shares[item.provider] += item.share
        key = (item.provider, item.model, item.tier, item.meter)
        if key in seen:
            yield f"value.basket: {item.meter} of {item.provider}/{item.model} is listed twice"
        seen.add(key)
    for provider, share in shares.items():
        if value.index.provider_cap is not None and share > value.index.provider_cap:
            yield f"value.basket: {provider!r} has {share}, more than value.index.provider_cap"


def _slot_contradictions(slots: tuple[Slot, ...]) -> Iterator[str]:
    filled: dict[tuple[str, ...], str] = {}
    names: set[str] = set()
    for slot in slots:
        if slot.name in names:
            yield f"value.slots.{slot.name}: listed twice"
        names.add(slot.name)
        if not slot.models:
            yield f"value.slots.{slot.name}.models: name at least one"
        if any(later.from_ <= one.from_ for one, later in pairwise(slot.models)):
            yield f"value.slots.{slot.name}.models: each must begin after the one before"
        for one in slot.models:
            other = filled.setdefault((one.provider, one.model, slot.tier, slot.meter), slot.name)
            if other != slot.name:
                yield f"value.slots.{slot.name}.models: {one.provider}/{one.model} already fills {other!r}"
