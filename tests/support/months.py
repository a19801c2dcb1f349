"""A month of calls as a vendor and as gateways saw it, and the faults that make the two differ."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from policy.reconciliation.books import Billed, Books, Charged, Posted, Tolerance
from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from policy.metering import Meter, Meters

When = TypeVar("When", date, datetime)

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
SONNET, HAIKU, OPUS = "claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-5"
EU, US = "gw-eu", "gw-us"
MODELS = (SONNET, HAIKU)
TOLERANCE = Tolerance(share=Decimal("0.0001"), usd=NanoUSD.parse("0.05"))
PRICES: Mapping[str, Mapping[Meter, int]] = {
    SONNET: {"input_uncached": 3_000, "cache_read": 300, "output": 15_000},
    HAIKU: {"input_uncached": 1_000, "cache_read": 100, "output": 5_000},
}
"""Nano-USD for one of each; a batch is half of it."""


class Seen(NamedTuple):
    """A call as somebody counted it."""

    source: str
    at: datetime
    model: str
    meters: Meters
    tier: str = ""

    def less_cached(self, sign: int) -> Seen:
        """The call with its cached input counted as new input as well."""
        plain = self.meters["input_uncached"] - sign * self.meters["cache_read"]
        return self._replace(meters={**self.meters, "input_uncached": plain})


def worth(_day: date, model: str, tier: str, meters: Meters) -> int:
    full = sum(count * PRICES.get(model, {}).get(meter, 0) for meter, count in meters.items())
    return full // 2 if tier == "batch" else full


def calls(seed: int = 1, hours: int = 3, each: int = 2) -> list[Seen]:
    """A month of both gateways and models, around the clock: so many calls in each span of some hours."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable month
    found = []
    for hour in range(0, (LAST - FIRST).days * 24 + 24, hours):
        for source in (EU, US):
            for model in MODELS:
                for _ in range(each):
                    at = BEGIN + timedelta(hours=hour, seconds=rng.randrange(3_600 * hours))
                    uncached, cached, output = (rng.randrange(2_000, most) for most in (40_000, 90_000, 9_000))
                    meters: Meters = {"input_uncached": uncached, "cache_read": cached, "output": output}
                    found.append(Seen(source, at, model, meters))
    return found


def books(vendor: Iterable[Seen], ledger: Iterable[Seen], charged: Iterable[Charged] | None = None) -> Books:
    """What a vendor and a ledger make of calls; without charges of its own the vendor takes our prices."""
    counted = _sum((one._replace(source=""), one.at.date()) for one in vendor)
    posted = _sum((one, one.at.replace(minute=0, second=0)) for one in ledger)
    return Books(
        first=FIRST,
        last=LAST,
        billed=tuple(Billed("", model, day, tier, meters) for (_, model, tier, day), (_, meters) in counted.items()),
        charged=tuple(charges(counted) if charged is None else charged),
        posted=tuple(
            Posted("", source, model, hour, tier, meters, n, worth(hour.date(), model, tier, meters))
            for (source, model, tier, hour), (n, meters) in posted.items()
        ),
    )


def charged(vendor: Iterable[Seen]) -> list[Charged]:
    return charges(_sum((one._replace(source=""), one.at.date()) for one in vendor))


def charges(counted: Mapping[tuple[str, str, str, date], tuple[int, Meters]]) -> list[Charged]:
    return [
        Charged(model, day, NanoUSD(worth(day, model, tier, meters)))
        for (_, model, tier, day), (_, meters) in counted.items()
    ]


def _sum(seen: Iterable[tuple[Seen, When]]) -> dict[tuple[str, str, str, When], tuple[int, Meters]]:
    found: defaultdict[tuple[str, str, str, When], tuple[int, Meters]] = defaultdict(lambda: (0, {}))
    for one, when in seen:
        n, meters = found[one.source, one.model, one.tier, when]
        for meter, count in one.meters.items():
            meters[meter] = meters.get(meter, 0) + count
        found[one.source, one.model, one.tier, when] = (n + 1, meters)
    return dict(found)


def between(some: Sequence[Seen], source: str, first: int, last: int, model: str = "") -> list[Seen]:
    """The calls of a gateway on some days of the month."""
    return [one for one in some if one.source == source and first <= one.at.day <= last and model in {"", one.model}]
