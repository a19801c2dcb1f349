"""What a token is worth, what is held back at issue, and what is put aside for what is outstanding."""

# ruff: noqa: TC001, TC003 - the types of fields are read at run time

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from policy.declared import Between, Factor, OneOf, Share
from policy.metering import METERS, Meter
from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUE_METHODS = ("fixed", "basket")
FUNDINGS = ("inside", "on_top")


@dataclass(frozen=True, slots=True)
class IndexRules:
    """How the basket's index is kept: the cap of one provider's share, and two thresholds."""

    provider_cap: Share
    reweight_divergence: Share
    second_person_above: Share


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
    """A line of the starting basket: one meter of one model, its class, and its share of the spend.

    From `retired_on` on it has no price of its own, and takes the mean change of its class.
    """

    provider: str
    model: str
    tier: str = ""
    meter: Annotated[Meter, OneOf(METERS)]
    class_: str
    share: Share
    retired_on: date | None = None


@dataclass(frozen=True, slots=True)
class ValueRules:
    """What a token is worth: `usd_per_token` in the base quarter, and how later quarters follow from it."""

    method: Annotated[str, OneOf(VALUE_METHODS)]
    usd_per_token: NanoUSD
    index: IndexRules
    buffer: BufferRules
    basket: tuple[BasketItem, ...]


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
    if value.method == "basket" and sum(item.share for item in value.basket) != 1:
        yield f"value.basket: the shares add up to {sum(item.share for item in value.basket)}, not to 1"
    shares: defaultdict[str, Decimal] = defaultdict(Decimal)
    seen: set[tuple[str, ...]] = set()
    for item in value.basket:
        shares[item.provider] += item.share
        key = (item.provider, item.model, item.tier, item.meter)
        if key in seen:
            yield f"value.basket: {item.meter} of {item.provider}/{item.model} is listed twice"
        seen.add(key)
    for provider, share in shares.items():
        if share > value.index.provider_cap:
            yield f"value.basket: {provider!r} has {share}, more than value.index.provider_cap"
