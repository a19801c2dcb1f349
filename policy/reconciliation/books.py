"""What is compared: a vendor's counts and charges, the ledger's events, and the differences between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal  # noqa: TC003 - findings are kept, and read again by their annotations
from typing import TYPE_CHECKING, Literal, NamedTuple

from policy.metering import Meter
from policy.reasons import Reason  # noqa: TC001 - as above
from policy.units import NanoUSD  # noqa: TC001 - as above

if TYPE_CHECKING:
    from policy.metering import Meters

Cause = Literal[
    "lost_events",
    "double_reports",
    "cache_as_input",
    "wrong_tier",
    "batch",
    "day_cut",
    "free_use",
    "price_list",
    "in_quarantine",
    "not_billed",
    "unexplained",
]

Vector = dict[tuple[str, Meter], int]
"""Counts by (tier, meter)."""

Worth = Callable[[date, str, str, "Meters"], int]
"""Nano-USD of some counts by our own prices: (day, model, tier, counts); 0 where no price is known."""


class Billed(NamedTuple):
    """What a vendor counted on one of its days. `group` is the gateway that its key belongs to, where that is known."""

    group: str
    model: str
    day: date
    tier: str
    meters: Meters
    calls: int | None = None


class Charged(NamedTuple):
    """What a vendor charges for one of its days; `model` is empty where it does not say."""

    model: str
    day: date
    amount: NanoUSD


class Posted(NamedTuple):
    """What the ledger has of one hour, in UTC; `waits` is what is in quarantine, and costs nothing yet."""

    group: str
    source: str
    model: str
    hour: datetime
    tier: str
    meters: Meters
    calls: int
    cost: int
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What is not worth a person's time: less than both, a share of what was posted and so many USD."""

    share: Decimal
    usd: NanoUSD


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """A vendor's days, both included, from both sides; the hours reach over their ends."""

    first: date
    last: date
    billed: tuple[Billed, ...]
    charged: tuple[Charged, ...]
    posted: tuple[Posted, ...]
    uncharged_tiers: frozenset[str] = frozenset()
    """Tiers that the vendor counts, and pays for otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """One model within a finding: what the vendor counted more than the ledger, below 0 less, by meter and tier."""

    model: str
    on: tuple[date, ...]
    counts: dict[str, int]
    """By meter; of another tier than the standard one by "meter@tier"."""
    amount: NanoUSD


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cause at one gateway: what the vendor charges beyond the ledger, and what is in the wrong place in all."""

    cause: Cause
    source: str
    amount: NanoUSD
    moved: NanoUSD
    models: tuple[Affected, ...]
    evidence: tuple[Reason, ...]

    @property
    def first(self) -> date:
        return min(one.on[0] for one in self.models)

    @property
    def last(self) -> date:
        return max(one.on[-1] for one in self.models)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """How both sides add up: charged = posted + Σ findings + small; `pending` days have counts and no charges yet."""

    charged: NanoUSD
    posted: NanoUSD
    uncharged: NanoUSD
    """What the ledger has of tiers that the vendor does not charge by the call; no part of `posted`."""
    small: NanoUSD
    pending: tuple[date, ...]
    pending_usd: NanoUSD
    findings: tuple[Finding, ...]
