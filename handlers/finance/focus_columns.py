"""From a charge to the columns of FOCUS's Cost and Usage dataset, in three versions of the specification.

Source: the FinOps Open Cost and Usage Specification 1.2, 1.3 and 1.4 (focus.finops.org, CC BY 4.0). Costs are what the
ledger posted. The programme's tokens are a virtual currency, so they stand in the PricingCurrency columns. What FOCUS
has no column for is in columns of our own, which begin with `x_` as it asks.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from handlers.tables import DECIMALS
from policy.period import first_instant
from policy.units import MICRO_PER_TOKEN, NANO_PER_USD
from programme.finance.charges import CREDIT, PURCHASE, USAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

    from policy.metering import Meter
    from programme.finance.charges import Bearer, Charge, Product
    from programme.finance.months import Months

Spec = Literal["1.2", "1.3", "1.4"]
SPECS: tuple[Spec, ...] = ("1.2", "1.3", "1.4")
TOKENS = "AI Tokens"
"""The virtual currency."""
_SCALE = 10**DECIMALS
_PER_NANO = _SCALE // NANO_PER_USD

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

_UNITS: dict[Meter, str] = {
    "searches": "Searches",
    "map_searches": "Searches",
    "requests": "Requests",
    "pages": "Pages",
    "gpu_seconds": "Seconds",
    "audio_seconds": "Seconds",
    "video_seconds": "Seconds",
}
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


def decimal(amount: int, scale: int = _SCALE, digits: int = DECIMALS) -> str:
    """A number in units of 10^-15, or of another scale, as FOCUS writes one: no exponent, no zeros at its end."""
    if amount < 0:
        return f"-{decimal(-amount, scale, digits)}"
    whole, part = divmod(amount, scale)
    return f"{whole}.{part:0{digits}d}".rstrip("0") if part else f"{whole}"


class _Listed(NamedTuple):
    """How a meter is priced: what a quantity is counted in, and what one costs."""

    unit: str
    per: int
    """How many of the meter make one of the unit."""
    price: int
    written: str
    in_currency: str


class Rows:
    """Writes charges of a month as rows in the order of a version's columns; empty where FOCUS says null.

    What many rows have in common is worked out once.
    """

    def __init__(self, told: Months, spec: Spec, zone: ZoneInfo, written: Callable[[str], str]) -> None:
        """`written` is how a text is written that people or programs gave."""
        begin, end = told.month.bounds(zone)
        self._account = told.rules.billing_account
        account = written(self._account)
        self._always = ("USD", account, account, _instant(begin), _instant(end))
        self._sellers = len(_SELLERS[spec])
        self._instants: Callable[[date], str] = lru_cache(1_000)(lambda day: _instant(first_instant(day, zone)))
        self._written = written
        self._named: Callable[[Bearer], _Named] = lru_cache(10_000)(self._bearer)
        self._product: Callable[[Product, str, bool], _Described] = lru_cache(10_000)(self._described)

    def row(self, charge: Charge) -> Sequence[str]:
        """One row."""
        category, first, end, bearer, product, costs, quantity, is_correction = charge
        account, tags, ours = self._named(bearer)
        description, service, model = self._product(product, category, is_correction)
        billed = decimal(costs.billed, NANO_PER_USD, _NANO_DIGITS)
        effective = billed if costs.effective == costs.billed else decimal(costs.effective * _PER_NANO)
        listed, amounts = _amounts(charge, billed) if quantity is not None else (billed, _unmetered(charge))
        return (
            *(billed, effective, listed, listed, *self._always, self._instants(first), self._instants(end)),
            *(category, "Correction" if is_correction else "", description, _FREQUENCY.get(category, "One-Time")),
            *account,
            *service,
            *amounts,
            *("", "", tags),
            *model,
            *ours,
        )

    def _described(self, product: Product, category: str, is_late: bool) -> _Described:  # noqa: FBT001 - a key of the cache
        *service, description = map(self._written, _product(product, category, is_late=is_late))
        seller, name = self._written(product.provider or self._account), self._written(product.service)
        named = (seller, *service[3:], name, *service[:3])
        model = (*(seller,) * self._sellers, self._written(product.model), self._written(product.tier))
        return _Described(description, named, model)

    def _bearer(self, bearer: Bearer) -> _Named:
        tags = {"cost_centre": bearer.cost_centre, "project": bearer.project}
        named = {name: value for name, value in tags.items() if value}
        key, name = self._written(bearer.cost_centre), self._written(bearer.name)
        centre = (key, name, "Cost Centre") if bearer.cost_centre else ("", "", "")
        written = json.dumps(named, ensure_ascii=False) if named else ""
        return _Named(centre, written, (self._written(bearer.project), bearer.person_id))


class _Described(NamedTuple):
    """ChargeDescription; InvoiceIssuerName and the columns of service and SKU; sellers, model and tier."""

    description: str
    service: tuple[str, ...]
    model: tuple[str, ...]


_FREQUENCY = {USAGE: "Usage-Based", PURCHASE: "Recurring"}
_NANO_DIGITS, _MICRO_DIGITS = 9, 6


def _amounts(charge: Charge, billed: str) -> tuple[str, tuple[str, ...]]:
    """ListCost of what a meter counted, and the columns from PricingCategory to ConsumedUnit."""
    quantity, costs = charge.quantity, charge.costs
    assert quantity is not None and charge.product.meter is not None  # noqa: S101, PT018 - as the caller saw
    count, price = quantity
    listed = _listed(charge.product.meter, price.nano_usd, price.per, costs.nano_usd_per_token)
    units = count * _SCALE // listed.per
    amount = units * listed.price // _SCALE
    counted = decimal(units)
    told = ("Standard", counted, listed.unit, listed.written, listed.written)
    tokens = decimal(costs.micro_tokens, MICRO_PER_TOKEN, _MICRO_DIGITS)
    in_tokens = (TOKENS, tokens, listed.in_currency, listed.in_currency)
    consumed = (counted, listed.unit) if charge.category == USAGE else ("", "")
    return (billed if amount == costs.billed * _PER_NANO else decimal(amount)), (*told, *in_tokens, *consumed)


def _unmetered(charge: Charge) -> tuple[str, ...]:
    """The same columns of grants, which cost nothing until they are used, and of adjustments, which have no price."""
    tokens = decimal(charge.costs.micro_tokens, MICRO_PER_TOKEN, _MICRO_DIGITS)
    if charge.category == PURCHASE:
        return ("Standard", tokens, "Tokens", "0", "0", TOKENS, "0", "0", "0", "", "")
    return ("", "", "", "", "", TOKENS, tokens, "", "", "", "")


@lru_cache(10_000)
def _listed(meter: Meter, nano_usd: int, per: int, nano_usd_per_token: int) -> _Listed:
    if per in _BLOCKS:
        # A price of the unit itself, a second, would have no end of decimals.
        unit, block, price = _BLOCKS[per], per, nano_usd * _PER_NANO
    else:
        unit, block, price = _UNITS.get(meter, "Tokens"), 1, nano_usd * _PER_NANO // per
    in_currency = price * NANO_PER_USD // nano_usd_per_token if nano_usd_per_token else price
    return _Listed(unit, block, price, decimal(price), decimal(in_currency))


def _instant(at: object) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


class _Named(NamedTuple):
    """SubAccountId, SubAccountName and SubAccountType; Tags; the project and the person."""

    account: tuple[str, str, str]
    tags: str
    ours: tuple[str, str]


def _product(product: Product, category: str, *, is_late: bool) -> tuple[str, ...]:
    """SkuId, SkuMeter, SkuPriceId, ServiceCategory, ServiceSubcategory and ChargeDescription."""
    ai = "AI and Machine Learning"
    if category == PURCHASE:
        sku = f"tokens/{product.service}"
        return (sku, "Tokens", sku, ai, f"Other ({ai})", f"Tokens that were granted: {product.service}")
    sub = "Machine Learning" if product.is_training else "Generative AI"
    if category == CREDIT or product.meter is None:
        posted = "credited by the vendor" if category == CREDIT else "posted by finance"
        said = "corrected after its month was settled" if is_late else posted
        return ("", "", "", ai, sub, f"{product.model}, {said}")
    tier = f" ({product.tier})" if product.tier else ""
    sku = "/".join(part for part in (product.provider, product.model, product.tier) if part)
    meter = _METERS.get(product.meter, product.meter.replace("_", " ").title())
    above = f" above {product.context} input tokens" if product.context else ""
    # A meter has a price of its own, so it is a stock-keeping unit of its own. One price may be for many models.
    sku = f"{sku}/{product.meter}"
    price = f"{sku}/{product.price_id}" + (f"/{product.context}" if product.context else "")
    return (sku, meter, price, ai, sub, f"{product.model}{tier}: {meter}{above}")
