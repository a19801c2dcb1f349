"""What a model cost at an instant, by the public, dated price list. The handbook's own prices win over it.

The list is the `genai-prices` data set, read in process and never fetched. A look-up there takes longer than all
else that an event needs, so answers are remembered; the data set does not change while the process runs.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelPrice, TieredPrices

from policy.metering import Meter, Price, UnitPrice

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from genai_prices.types import ModelInfo


MILLION, THOUSAND = 1_000_000, 1_000

METER_KEYS: tuple[tuple[Meter, int, tuple[str, ...]], ...] = (
    ("input_uncached", MILLION, ("input_mtok",)),
    ("cache_read", MILLION, ("cache_read_mtok", "input_mtok")),
    ("cache_write_5m", MILLION, ("cache_write_5m_mtok", "cache_write_mtok", "input_mtok")),
    ("cache_write_1h", MILLION, ("cache_write_1h_mtok", "cache_write_mtok", "input_mtok")),
    ("output", MILLION, ("output_mtok",)),
    ("audio_input", MILLION, ("input_audio_mtok", "input_mtok")),
    ("audio_output", MILLION, ("output_audio_mtok", "output_mtok")),
    ("image_input", MILLION, ("input_image_mtok", "input_mtok")),
    ("image_output", MILLION, ("output_image_mtok", "output_mtok")),
    ("searches", THOUSAND, ("web_searches_kcount",)),
    ("requests", THOUSAND, ("requests_kcount",)),
)
"""Our meter, the units of its price, and the list's keys for it: the first that is there. A kind of token without a
price of its own is billed as plain input or output, as the data set says of itself."""

UNMETERED = ("output_reasoning_mtok", "output_citation_mtok", "output_video_mtok")
"""Parts of the output that some models bill apart and gateways do not report apart: such models have no price here."""


class PriceBook:
    """Public prices by provider, model and instant."""

    def __init__(self) -> None:
        self._source = f"genai-prices {version('genai-prices')}"
        self._models: dict[tuple[str, str], ModelInfo | None] = {}
        self._prices: dict[tuple[int, str, str], Price | None] = {}

    def listed(self, provider: str, model: str, at: datetime) -> Price | None:
        """The public price that held at an instant, or None when the list has none."""
        info = self._model(provider, model)
        if info is None:
            return None
        standard = info.prices if isinstance(info.prices, ModelPrice) else info.get_prices(at)
        # The list's own price objects live as long as the process: their identity is a safe key.
        key = (id(standard), provider, model)
        if key not in self._prices:
            self._prices[key] = _from_list(provider, model, self._source, standard)
        return self._prices[key]

    def _model(self, provider: str, model: str) -> ModelInfo | None:
        key = (provider, model)
        if key not in self._models:
            try:
                _, self._models[key] = get_snapshot().find_provider_model(model, None, provider, None)
            except LookupError:
                self._models[key] = None
        return self._models[key]


def _from_list(provider: str, model: str, source: str, listed: ModelPrice) -> Price | None:
    if any(getattr(listed, key) is not None for key in UNMETERED):
        return None
    meters: dict[Meter, UnitPrice] = {}
    for meter, per, keys in METER_KEYS:
        found = next((value for key in keys if (value := getattr(listed, key)) is not None), None)
        if found is not None:
            meters[meter] = _unit_price(found, per)
    return Price(provider, model, source, meters) if meters else None


def _unit_price(listed: Decimal | TieredPrices, per: int) -> UnitPrice:
    if not isinstance(listed, TieredPrices):
        return UnitPrice.from_usd(listed, per)
    # A common `per` for the base and its tiers, in case one of them is finer than a nano-USD.
    parts = [UnitPrice.from_usd(p, per) for p in (listed.base, *(tier.price for tier in listed.tiers))]
    common = max(part.per for part in parts)
    whole = [part.nano_usd * common // part.per for part in parts]
    starts = [tier.start for tier in listed.tiers]
    return UnitPrice(whole[0], common, tuple(zip(starts, whole[1:], strict=True)))
