"""What a token is worth, what is held back at issue, and what is put aside for what is outstanding (RULES 1)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from policy.metering import METERS, Meter
from policy.toml_table import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from policy.toml_table import Table
    from policy.units import NanoUSD

VALUE_METHODS = ("fixed", "basket")
FUNDINGS = ("inside", "on_top")


@dataclass(frozen=True, slots=True)
class IndexRules:
    """How the basket's index is kept: the cap of one provider's share, and two thresholds."""

    provider_cap: Decimal
    reweight_divergence: Decimal
    second_person_above: Decimal


@dataclass(frozen=True, slots=True)
class BufferRules:
    """What is held back at issue against price rises; `prior_*` is what is assumed before there is a history."""

    funding: str
    prior_quarters: int
    prior_sd: Decimal
    quantile: Decimal
    horizon_quarters: int
    least: Decimal
    most: Decimal
    announced_change: Decimal


@dataclass(frozen=True, slots=True)
class BasketItem:
    """A line of the starting basket: one meter of one model, its class, and its share of the spend.

    From `retired_on` on it has no price of its own, and takes the mean change of its class.
    """

    provider: str
    model: str
    tier: str
    meter: Meter
    class_: str
    share: Decimal
    retired_on: date | None


@dataclass(frozen=True, slots=True)
class ValueRules:
    """What a token is worth: `usd_per_token` in the base quarter, and how later quarters follow from it."""

    method: str
    usd_per_token: NanoUSD
    index: IndexRules
    buffer: BufferRules
    basket: tuple[BasketItem, ...]


@dataclass(frozen=True, slots=True)
class ReserveRules:
    """What is put aside for outstanding tokens: the share that so many percent of people keep within, and a margin."""

    percentile: int
    months: int
    margin: Decimal


def read_value(table: Table) -> ValueRules:
    rules = ValueRules(
        method=table.choice("method", VALUE_METHODS),
        usd_per_token=table.usd("usd_per_token"),
        index=_read_index(table.table("index")),
        buffer=_read_buffer(table.table("buffer")),
        basket=tuple(_read_basket_item(t) for t in table.tables("basket")),
    )
    table.done()
    return rules


def _read_index(table: Table) -> IndexRules:
    rules = IndexRules(
        table.share("provider_cap"), table.share("reweight_divergence"), table.share("second_person_above")
    )
    table.done()
    return rules


def _read_buffer(table: Table) -> BufferRules:
    rules = BufferRules(
        funding=table.choice("funding", FUNDINGS),
        prior_quarters=table.count("prior_quarters", 1, 100),
        prior_sd=table.share("prior_sd"),
        quantile=table.share("quantile", MOST),
        horizon_quarters=table.count("horizon_quarters", 1, 8),
        least=table.share("least"),
        most=table.share("most"),
        announced_change=table.share("announced_change"),
    )
    table.done()
    return rules


def _read_basket_item(table: Table) -> BasketItem:
    item = BasketItem(
        provider=table.text("provider"),
        model=table.text("model"),
        tier=table.optional_text("tier"),
        meter=cast("Meter", table.choice("meter", METERS)),
        class_=table.text("class"),
        share=table.share("share"),
        retired_on=table.optional_day("retired_on"),
    )
    table.done()
    return item


def read_reserve(table: Table) -> ReserveRules:
    rules = ReserveRules(table.count("percentile", 50, 100), table.count("months", 1, 12), table.share("margin"))
    table.done()
    return rules


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
