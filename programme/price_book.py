"""What a model cost at an instant, by the public, dated price list. The handbook's own prices win over it.

The list is the `genai-prices` data set, read in process and never fetched. A look-up there takes longer than all
else that an event needs, so answers are remembered; the data set does not change while the process runs.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelPrice, TieredPrices

from policy.metering import INPUT_METERS, Meter, Price, UnitPrice
from policy.providers import known_as

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from decimal import Decimal

    from genai_prices.types import ModelInfo, PriceVariant


MILLION, THOUSAND, HOUR = 1_000_000, 1_000, 3_600

METER_KEYS: tuple[tuple[Meter, int, tuple[str, ...]], ...] = (
    ("input_uncached", MILLION, ("input_mtok",)),
    ("cache_read", MILLION, ("cache_read_mtok", "input_mtok")),
    ("cache_write_5m", MILLION, ("cache_write_5m_mtok", "cache_write_mtok", "input_mtok")),
    ("cache_write_1h", MILLION, ("cache_write_1h_mtok",)),
    ("output", MILLION, ("output_mtok",)),
    ("audio_input", MILLION, ("input_audio_mtok",)),
    ("audio_cache_read", MILLION, ("cache_audio_read_mtok",)),
    ("audio_output", MILLION, ("output_audio_mtok",)),
    ("image_input", MILLION, ("input_image_mtok", "input_mtok")),
    ("image_cache_read", MILLION, ("cache_image_read_mtok", "cache_read_mtok", "input_image_mtok", "input_mtok")),
    ("image_output", MILLION, ("output_image_mtok",)),
    ("video_input", MILLION, ("input_video_mtok", "input_mtok")),
    ("searches", THOUSAND, ("web_searches_kcount",)),
    ("requests", THOUSAND, ("requests_kcount",)),
    ("audio_seconds", HOUR, ("input_audio_hours",)),
    ("pages", THOUSAND, ("input_document_kpages",)),
)
"""Our meter, the units of its price, and the list's keys for it: the first that is there.

Cached tokens without a price of their own are plain input, and so are pictures and films that a model looks at: that
is how providers bill them. Sound, drawn pictures and writes for an hour cost many times as much wherever they have a
price: without one they wait."""

UNMETERED = ("output_reasoning_mtok", "output_citation_mtok", "output_video_mtok")
"""Parts of the output that some models bill apart and few gateways report apart: such models have no price here."""


TIER_KEYS = ("processing", "service_tier", "speed")
"""The list's keys for a service tier: the same name may stand under any of them, according to the provider."""


REGIONS = {("anthropic", "us"): Fraction(11, 10)}
"""What a region adds to every kind of token where the list has no price for it: Anthropic's `inference_geo`."""

ROUTER, ROUTERS_FEE = ("azure", "router"), UnitPrice(140_000_000, MILLION)
"""What Azure's model router adds to every input token, beside the price of the model that it chose."""

WHOLE_BATCH = "whole-batch"

PER_TOKEN: frozenset[Meter] = frozenset(meter for meter, per, _ in METER_KEYS if per == MILLION)


class PriceBook:
    """Public prices by provider, model, service tier and instant."""

    def __init__(self) -> None:
        self._source = f"genai-prices {version('genai-prices')}"
        self._models: dict[tuple[str, str], tuple[ModelInfo, Sequence[PriceVariant]] | None] = {}
        self._prices: dict[tuple[object, ...], Price | None] = {}
        self._lasting: dict[tuple[str, str], Price | None] = {}
        """Of models that have had one standard price for all time, as most have."""

    def listed(self, provider: str, model: str, tier: str, at: datetime) -> Price | None:
        """The public price that held at an instant, or None when the list has none; the standard tier has no name.

        A tier may end in a region, as in "us" or "fast-us", or in "router". A whole batch has the prices of a batch
        without those of large contexts: they go by the size of each request, and it is the sum of many.
        """
        if not tier:
            return self._lasting.get((provider, model)) or self._of_tier(provider, model, tier, at)
        if tier == WHOLE_BATCH:
            price = self._of_tier(provider, model, "batch", at)
            return self._derived(price, tier, lambda _, unit: replace(unit, tiers=())) if price else None
        within, _, last = tier.rpartition("-")
        dearer = _routed if (known_as(provider), last) == ROUTER else None
        if factor := REGIONS.get((provider, last)):
            dearer = partial(_surcharged, factor)
        if dearer is None:
            return self._of_tier(provider, model, tier, at)
        price = self._of_tier(provider, model, within, at)
        return self._derived(price, tier, dearer) if price else None

    def _derived(self, price: Price, tier: str, change: Callable[[Meter, UnitPrice], UnitPrice]) -> Price:
        # Every price that is given out is remembered as well, so its identity is a safe key.
        key: tuple[object, ...] = (id(price), tier)
        found = self._prices.get(key)
        if found is None:
            meters = {meter: change(meter, unit) for meter, unit in price.meters.items()}
            found = self._prices[key] = replace(price, meters=meters, tier=tier)
        return found

    def _of_tier(self, provider: str, model: str, tier: str, at: datetime) -> Price | None:
        found = self._model(provider, model)
        if found is None:
            return None
        info, variants = found
        standard = info.prices if isinstance(info.prices, ModelPrice) else info.get_prices(at)
        # The list's own price objects live as long as the process: their identity is a safe key.
        key: tuple[object, ...] = (id(standard), provider, model)
        context = None
        if tier:
            context = dict.fromkeys(TIER_KEYS, tier)
            held = [id(variant) for variant in variants if _holds(variant, context, at)]
            if not held:
                return None
            key = (*key, tier, *held)
        if key not in self._prices:
            self._prices[key] = _from_list(provider, model, tier, self._source, info.get_prices(at, context))
        if not tier and standard is info.prices:
            self._lasting[provider, model] = self._prices[key]
        return self._prices[key]

    def _model(self, provider: str, model: str) -> tuple[ModelInfo, Sequence[PriceVariant]] | None:
        """What the list knows of a model, and its prices for other tiers than the standard one."""
        key = (provider, model)
        if key not in self._models:
            try:
                seller, info = get_snapshot().find_provider_model(model, None, known_as(provider), None)
                # A model may be found at its maker: then the standard price is the same, other tiers' need not be.
                own = any(info is sold for sold in seller.models)
                self._models[key] = info, (info.price_variants or ()) if own else ()
            except LookupError:
                self._models[key] = None
        return self._models[key]


def _surcharged(factor: Fraction, meter: Meter, unit: UnitPrice) -> UnitPrice:
    return unit.times(factor) if meter in PER_TOKEN else unit


def _routed(meter: Meter, unit: UnitPrice) -> UnitPrice:
    return unit.plus(ROUTERS_FEE) if meter in INPUT_METERS else unit


def _holds(variant: PriceVariant, context: dict[str, str], at: datetime) -> bool:
    """Whether a variant is meant, and its time has come, as the list's own calculator decides it."""
    active = variant.constraint is None or variant.constraint.active(at)
    return active and variant.when.items() <= context.items()


def _from_list(provider: str, model: str, tier: str, source: str, listed: ModelPrice) -> Price | None:
    if any(getattr(listed, key) is not None for key in UNMETERED):
        return None
    meters: dict[Meter, UnitPrice] = {}
    for meter, per, keys in METER_KEYS:
        found = next((value for key in keys if (value := getattr(listed, key)) is not None), None)
        if found is not None:
            meters[meter] = _unit_price(found, per)
    return Price(provider, model, source, meters, tier) if meters else None


def _unit_price(listed: Decimal | TieredPrices, per: int) -> UnitPrice:
    if not isinstance(listed, TieredPrices):
        return UnitPrice.from_usd(listed, per)
    # A common `per` for the base and its tiers, in case one of them is finer than a nano-USD.
    parts = [UnitPrice.from_usd(p, per) for p in (listed.base, *(tier.price for tier in listed.tiers))]
    common = max(part.per for part in parts)
    whole = [part.nano_usd * common // part.per for part in parts]
    starts = [tier.start for tier in listed.tiers]
    return UnitPrice(whole[0], common, tuple(zip(starts, whole[1:], strict=True)))
