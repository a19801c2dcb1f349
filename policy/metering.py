"""From what was used to what it costs: disjoint meters, a price for each, one exact sum."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from policy.units import NANO_PER_USD, NanoUSD, divide_half_even

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

Meter = Literal[
    "input_uncached",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "audio_input",
    "audio_cache_read",
    "audio_output",
    "image_input",
    "image_cache_read",
    "image_output",
    "video_input",
    "video_output",
    "searches",
    "map_searches",
    "requests",
    "audio_seconds",
    "video_seconds",
    "pages",
    "undivided_tokens",
    "gpu_seconds",
    "trained_tokens",
    "billed",
]
"""Every unit of use is counted by exactly one of these; reasoning tokens are part of `output`.

`requests` are calls of which nothing else is counted, pictures of models without tokens, and units of rankings.

`undivided_tokens` are tokens of which only the sum was told, input and output together: no public list has a price.
"""

BILLED: Meter = "billed"
"""Nano-USD of a vendor's bill, which says what something cost and not what was counted."""
METERS: tuple[Meter, ...] = tuple(meter for meter in get_args(Meter) if meter != BILLED)
"""Those that gateways report and that have prices."""

INPUT_METERS: frozenset[Meter] = frozenset(
    {
        "input_uncached",
        "cache_read",
        "cache_write_5m",
        "cache_write_1h",
        "audio_input",
        "audio_cache_read",
        "image_input",
        "image_cache_read",
        "video_input",
    }
)
OUTPUT_METERS: frozenset[Meter] = frozenset({"output", "audio_output", "image_output", "video_output"})

Meters = dict[Meter, int]
"""Counts of what was used; a meter that is missing counted nothing."""

IdentityKind = Literal["email", "user", "key_alias"]
Identity = tuple[IdentityKind, str]
Identities = tuple[Identity, ...]
"""Who a gateway says used it, the most reliable name first."""


class Work(NamedTuple):
    """A piece of work that a gateway may report more than once: a batch, a stored response, a video."""

    name: str
    """Unique within the source, such as "batch:batch_67ab"."""
    looked_at: bool = False
    """The report is of someone who looked at it, not of the call that began it."""


class HoldRef(NamedTuple):
    """The hold that a call was made under: the source of its key and its id; the last report of it frees the rest."""

    source: str
    id: str
    is_final: bool = True


class Remarks(NamedTuple):
    """What a gateway says of an event beside its content; no part of the fingerprint."""

    quoted: int = 0
    """Nano-USD, by the gateway's own reckoning; 0 where it knows no price."""
    base_model: str = ""
    """What stands behind a deployment's own name."""
    work: Work | None = None
    bridges: bool = False
    """The gateway may have answered this call by another one, and have reported that as well, a moment apart."""
    hold: HoldRef | None = None


class UsageEvent(NamedTuple):
    """One use of a service, as a gateway reported it: the key, when, who, what. It has no price yet.

    A NamedTuple, not a dataclass: a batch makes ten thousand of them, and a frozen dataclass takes three times
    as long to make.
    """

    source: str
    event_id: str
    occurred_at: datetime
    identities: Identities
    provider: str
    model: str
    tier: str
    """The service tier, such as "priority"; empty for the standard one."""
    meters: Meters
    project: str
    fingerprint: bytes
    remarks: Remarks | None = None

    @property
    def idempotency_key(self) -> str:
        return f"usage:{self.source}:{self.event_id}"


def named(provider: str, model: str, tier: str) -> str:
    """What a price is for, in a sentence: "the priority tier of openai/gpt-5"."""
    return f"the {tier} tier of {provider}/{model}" if tier else f"{provider}/{model}"


def input_tokens(meters: Meters) -> int:
    """All input tokens, cached ones included: what a context-size tier is chosen by."""
    return sum(n for meter, n in meters.items() if meter in INPUT_METERS)


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """Nano-USD for `per` units of a meter; `tiers` replace it for calls with more input tokens than their start.

    A tier holds for all units of the call, not only for those above its start: that is how the providers bill.
    """

    nano_usd: int
    per: int
    tiers: tuple[tuple[int, int], ...] = ()

    def at(self, context: int) -> int:
        for start, nano_usd in reversed(self.tiers):
            if context > start:
                return nano_usd
        return self.nano_usd

    def times(self, factor: Fraction) -> UnitPrice:
        """The price with a surcharge or a discount, still exact."""
        up, per = factor.numerator, self.per * factor.denominator
        return UnitPrice(self.nano_usd * up, per, tuple((start, price * up) for start, price in self.tiers))

    def plus(self, fee: UnitPrice) -> UnitPrice:
        """The price with a fee for the same units, whatever the size of the call; still exact."""
        per = math.lcm(self.per, fee.per)
        more, up = fee.nano_usd * (per // fee.per), per // self.per
        return UnitPrice(
            self.nano_usd * up + more, per, tuple((start, price * up + more) for start, price in self.tiers)
        )

    @classmethod
    def from_usd(cls, usd: Decimal, per: int) -> UnitPrice:
        """The price in whole nano-USD; where USD is finer than that, `per` grows until it is whole."""
        nano_usd = Fraction(usd) * NANO_PER_USD
        return cls(nano_usd.numerator, per * nano_usd.denominator)


class UnpricedMeterError(LookupError):
    """A meter counted something, and the price list has no price for it."""

    def __init__(self, meter: Meter, price: Price) -> None:
        super().__init__(f"no price for {meter} of {named(price.provider, price.model, price.tier)}")
        self.meter = meter


@dataclass(frozen=True)
class Price:
    """The price of a model or GPU class in one service tier at one time, meter by meter, with where it came from."""

    provider: str
    model: str
    source: str
    meters: Mapping[Meter, UnitPrice]
    tier: str = ""

    def cost(self, meters: Meters) -> NanoUSD:
        """Σ count × price, exact until one rounding to the nearest nano-USD (half to even).

        Where a model also charges per request, an event that does not count them is one.
        """
        return NanoUSD(self.nano_usd(meters))

    def nano_usd(self, meters: Meters) -> int:
        """The same as a bare number, for batches of many."""
        if not meters:
            return 0
        tier = 0
        if starts := self.tier_starts:
            context = input_tokens(meters)
            tier = sum([context > start for start in starts])
        scale, rates = self._rates[tier]
        total = 0 if "requests" in meters else rates.get("requests", 0)
        for meter, count in meters.items():
            if count:
                try:
                    total += count * rates[meter]
                except KeyError:
                    raise UnpricedMeterError(meter, self) from None
        return divide_half_even(total, scale)

    def lines(self, meters: Meters) -> list[tuple[Meter, int, int, int]]:
        """(meter, count, nano-USD, per so many units) of everything that `cost` adds up."""
        counted = dict(meters)
        if meters and "requests" in self.meters:
            counted.setdefault("requests", 1)
        context = input_tokens(meters)
        return [(m, n, self.meters[m].at(context), self.meters[m].per) for m, n in counted.items() if n]

    @cached_property
    def tier_starts(self) -> tuple[int, ...]:
        return tuple(sorted({start for unit in self.meters.values() for start, _ in unit.tiers}))

    @cached_property
    def _rates(self) -> list[tuple[int, dict[Meter, int]]]:
        """For each tier: a common denominator and whole-number rates over it, so that one division is left."""
        scale = math.lcm(*(unit.per for unit in self.meters.values()))
        contexts = [0, *(start + 1 for start in self.tier_starts)]
        return [
            (scale, {meter: unit.at(context) * (scale // unit.per) for meter, unit in self.meters.items()})
            for context in contexts
        ]
