"""From a charge to the columns of FOCUS's Cost and Usage dataset, in three versions of the specification.

Source: the FinOps Open Cost and Usage Specification 1.2, 1.3 and 1.4 (focus.finops.org, CC BY 4.0). Costs are what the
ledger posted. The programme's tokens are a virtual currency, so they stand in the PricingCurrency columns. What FOCUS
has no column for is in columns of our own, which begin with `x_` as it asks.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from policy.period import first_instant
from policy.units import MICRO_PER_TOKEN, NANO_PER_USD
from programme.finance.charges import ADJUSTMENT, PURCHASE, USAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

    from policy.metering import Meter
    from programme.finance.charges import Bearer, Charge, Months, Product

Spec = Literal["1.2", "1.3", "1.4"]
SPECS: tuple[Spec, ...] = ("1.2", "1.3", "1.4")
TOKENS = "AI Tokens"
"""The virtual currency."""
DECIMALS = 15
"""Of every number; a price of a meter's unit has no more."""
_SCALE = 10**DECIMALS
_PER_NANO = _SCALE // NANO_PER_USD
_PER_MICRO = _SCALE // MICRO_PER_TOKEN

_BOTH = (
    *("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "BillingCurrency"),
    *("BillingAccountId", "BillingAccountName", "BillingPeriodStart", "BillingPeriodEnd"),
    *("ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency"),
    *("SubAccountId", "SubAccountName", "SubAccountType", "InvoiceIssuerName"),
    *("ServiceCategory", "ServiceSubcategory", "ServiceName", "SkuId", "SkuMeter", "SkuPriceId"),
    *("PricingCategory", "PricingQuantity", "PricingUnit", "ListUnitPrice", "ContractedUnitPrice"),
    *("PricingCurrency", "PricingCurrencyEffectiveCost"),
    *("PricingCurrencyListUnitPrice", "PricingCurrencyContractedUnitPrice"),
    *("ConsumedQuantity", "ConsumedUnit", "SkuPriceDetails", "InvoiceId", "Tags"),
)
_OURS = ("x_Model", "x_ServiceTier", "x_Project", "x_PersonId")
_SELLERS: dict[Spec, tuple[str, ...]] = {
    "1.2": ("ProviderName", "PublisherName"),
    # 1.3 renames the two, and keeps the old names for those who read them; 1.4 removes these.
    "1.3": ("ProviderName", "PublisherName", "ServiceProviderName", "HostProviderName"),
    "1.4": ("ServiceProviderName", "HostProviderName"),
}
COLUMNS: dict[Spec, tuple[str, ...]] = {spec: (*_BOTH, *_SELLERS[spec], *_OURS) for spec in SPECS}
NUMBERS = frozenset(
    {
        *("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "PricingQuantity", "ListUnitPrice"),
        *("ContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice"),
        *("PricingCurrencyContractedUnitPrice", "ConsumedQuantity"),
    }
)
INSTANTS = frozenset({"BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd"})

_UNITS: dict[Meter, str] = {"searches": "Searches", "requests": "Requests", "gpu_seconds": "Seconds"}
_BLOCKS = {3_600: "Hours", NANO_PER_USD: "Dollars"}
"""Of a price for many units the name of them all; a bill counts nano-USD."""
_METERS: dict[Meter, str] = {
    "input_uncached": "Input Tokens",
    "cache_read": "Cached Input Tokens",
    "cache_write_5m": "Cache Write Tokens",
    "cache_write_1h": "Cache Write Tokens for One Hour",
    "output": "Output Tokens",
    "billed": "Vendor's Bill",
}


def decimal(amount: int) -> str:
    """A number in units of 10^-15 as FOCUS writes one: no exponent, no zeros at its end."""
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    whole, part = divmod(amount, _SCALE)
    return f"{sign}{whole}.{part:015d}".rstrip("0") if part else f"{sign}{whole}"


class _Prices(NamedTuple):
    """How a quantity is priced: written numbers, in their units."""

    quantity: int
    unit: str
    price: int
    in_currency: int


class Rows:
    """Writes charges of a month as rows in the order of a version's columns; empty where FOCUS says null."""

    def __init__(self, told: Months, spec: Spec, zone: ZoneInfo) -> None:
        begin, end = told.month.bounds(zone)
        self._account = told.rules.billing_account
        self._period = (_instant(begin), _instant(end))
        self._sellers = len(_SELLERS[spec])
        self._instants: Callable[[date], str] = lru_cache(1_000)(lambda day: _instant(first_instant(day, zone)))
        self._named: Callable[[Bearer], tuple[str, ...]] = lru_cache(10_000)(_bearer)

    def row(self, charge: Charge) -> Sequence[str]:
        """One row."""
        category, first, end, bearer, product, costs, _, is_correction = charge
        prices = _priced(charge)
        billed = costs.billed * _PER_NANO
        listed = billed
        if charge.quantity is not None and prices is not None:
            listed = prices.quantity * prices.price // _SCALE
        sub_id, sub_name, sub_type, tags = self._named(bearer)
        seller = product.provider or self._account
        sku, meter, sku_price, service_category, subcategory, description = _described(charge)
        return (
            decimal(billed),
            decimal(costs.effective * _PER_NANO),
            decimal(listed),
            decimal(listed),
            "USD",
            self._account,
            self._account,
            *self._period,
            self._instants(first),
            self._instants(end),
            category,
            "Correction" if is_correction else "",
            description,
            _FREQUENCY.get(category, "One-Time"),
            sub_id,
            sub_name,
            sub_type,
            seller,
            service_category,
            subcategory,
            product.service,
            sku,
            meter,
            sku_price,
            *_written(prices),
            *_in_tokens(charge, prices),
            "",
            "",
            tags,
            *(seller,) * self._sellers,
            inert(product.model),
            product.tier,
            inert(bearer.project),
            bearer.person_id,
        )


def _in_tokens(charge: Charge, prices: _Prices | None) -> tuple[str, ...]:
    """The pricing currency with what was charged in it, and what was consumed."""
    # A grant costs nothing until it is used.
    effective = "0" if charge.category == PURCHASE else decimal(charge.costs.micro_tokens * _PER_MICRO)
    in_currency = ("", "") if prices is None else (decimal(prices.in_currency),) * 2
    consumed = (decimal(prices.quantity), prices.unit) if prices and charge.category == USAGE else ("", "")
    return (TOKENS, effective, *in_currency, *consumed)


_FREQUENCY = {USAGE: "Usage-Based", PURCHASE: "Recurring"}


def _instant(at: object) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _bearer(bearer: Bearer) -> tuple[str, ...]:
    """SubAccountId, SubAccountName, SubAccountType and Tags."""
    tags = {"cost_centre": bearer.cost_centre, "project": bearer.project}
    named = {name: value for name, value in tags.items() if value}
    written = json.dumps(named, ensure_ascii=False) if named else ""
    if not bearer.cost_centre:
        return ("", "", "", written)
    return (inert(bearer.cost_centre), inert(bearer.name), "Cost Centre", written)


def _priced(charge: Charge) -> _Prices | None:
    """None where there is no price: of adjustments."""
    costs, value = charge.costs, charge.costs.nano_usd_per_token
    if charge.quantity is not None:
        return _metered(charge, value)
    # Tokens that are granted have no price: the company pays when they are used.
    return _Prices(costs.micro_tokens * _PER_MICRO, "Tokens", 0, 0) if charge.category == PURCHASE else None


def _metered(charge: Charge, nano_usd_per_token: int) -> _Prices:
    assert charge.quantity is not None  # noqa: S101 - see `_priced`
    count, unit = charge.quantity
    meter = charge.product.meter
    assert meter is not None  # noqa: S101 - a quantity is one of a meter
    if unit.per in _BLOCKS:
        # A price of the unit itself, a second, would have no end of decimals.
        quantity, name, price = count * _SCALE // unit.per, _BLOCKS[unit.per], unit.nano_usd * _PER_NANO
    else:
        quantity, name = count * _SCALE, _UNITS.get(meter, "Tokens")
        price = unit.nano_usd * _PER_NANO // unit.per
    return _Prices(quantity, name, price, price * NANO_PER_USD // nano_usd_per_token if nano_usd_per_token else price)


def _written(prices: _Prices | None) -> tuple[str, ...]:
    """PricingCategory, PricingQuantity, PricingUnit, ListUnitPrice and ContractedUnitPrice."""
    if prices is None:
        return ("", "", "", "", "")
    price = decimal(prices.price)
    return ("Standard", decimal(prices.quantity), prices.unit, price, price)


def _described(charge: Charge) -> tuple[str, ...]:
    """SkuId, SkuMeter, SkuPriceId, ServiceCategory, ServiceSubcategory and ChargeDescription."""
    return _product(charge.product, charge.category)


@lru_cache(10_000)
def _product(product: Product, category: str) -> tuple[str, ...]:
    ai = "AI and Machine Learning"
    if category == PURCHASE:
        sku = f"tokens/{product.service}"
        return (sku, "Tokens", sku, ai, f"Other ({ai})", f"Tokens that were granted: {product.service}")
    sub = "Machine Learning" if product.is_training else "Generative AI"
    if category == ADJUSTMENT or product.meter is None:
        said = "credited by the vendor" if product.meter else "corrected after its month was settled"
        return ("", "", "", ai, sub, inert(f"{product.model}, {said}"))
    tier = f" ({product.tier})" if product.tier else ""
    sku = "/".join(part for part in (product.provider, product.model, product.tier) if part)
    meter = _METERS.get(product.meter, product.meter.replace("_", " ").title())
    above = f" above {product.context} input tokens" if product.context else ""
    # A meter has a price of its own, so it is a stock-keeping unit of its own. One price may be for many models.
    sku = f"{sku}/{product.meter}"
    price = f"{sku}/{product.price_id}" + (f"/{product.context}" if product.context else "")
    return (sku, meter, price, ai, sub, inert(f"{product.model}{tier}: {meter}{above}"))


def inert(text: str) -> str:
    """A text that people wrote, so that no spreadsheet takes it for a formula."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\n")) else text
