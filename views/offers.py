"""An offer: what was asked, what it follows from, and what came of it.

(The types of fields are imported at run time: msgspec reads the annotations.)
"""

# ruff: noqa: TC001, TC003 - the types of fields are needed at run time

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from policy.offers import Better, Pay, Range, Use
from policy.units import MicroTokens, NanoUSD
from policy.value.currencies import Money, Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRival:
    """Another company's offer as it was told: amounts a year, seats and input and output tokens a month."""

    label: str
    base: Money
    bonus: Money
    equity: Money
    credits: Money
    seats_a_month: Money
    model_tokens_a_month: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenOffer:
    """What someone wants an offer worked out for. Without a base, it is the midpoint of the band."""

    label: str
    level: str = ""
    band: str = ""
    base: Money | None = None
    bonus: Money
    equity: Money
    start: date | None = None
    language: str = "en"
    rivals: tuple[GivenRival, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What an offer's figures follow from, as it was when it was made."""

    company: str
    handbook: str
    value: str
    compensation: NanoUSD
    share: Decimal
    buffer_permille: int
    usable_share: Decimal
    restriction: Decimal
    least_restriction: Decimal
    most_restriction: Decimal
    risk: Decimal
    lot_months: int
    keep_days: int
    rate: Rate
    """In whose currency it is shown."""
    per_million_model_tokens: NanoUSD | None = None
    """What a rival's tokens were priced at; None where there were none."""


@dataclass(frozen=True, slots=True)
class OfferedPackage:
    """One offer worked out."""

    label: str
    pay: Pay
    use: Use
    headline: NanoUSD
    use_as_cash: Range
    cash: Range


@dataclass(frozen=True, slots=True)
class ComparedRival:
    """Another offer, and when ours is the better one: `share` of the issued value is where both are the same."""

    package: OfferedPackage
    better: Better
    share: Decimal | None


@dataclass(frozen=True, slots=True)
class OfferContent:
    """All that is kept of an offer."""

    given: GivenOffer
    basis: Basis
    ours: OfferedPackage
    rivals: tuple[ComparedRival, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer on record."""

    id: str
    made_at: datetime
    made_by: str
    content: OfferContent


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingFacts:
    """What a job listing says of the allowance; a month's tokens are so many `days` of use, where that may be told."""

    level: str
    band: str
    company: str
    share: Decimal
    lot_months: int
    days: int | None
    handbook: str


@dataclass(frozen=True, slots=True)
class OutdatedListings:
    """Listings, each (level, band, language), that no longer say what a version of the handbook does."""

    handbook: str
    posts: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class WorthLine:
    """What happened to tokens in a year, and what they were worth, each at its quarter's value."""

    name: str
    tokens: MicroTokens
    worth: NanoUSD


@dataclass(frozen=True, slots=True)
class YearsWorth:
    """What the allowance was worth to someone in a year: `opening` + `lines` = `closing`, in tokens."""

    year: int
    is_over: bool
    opening: WorthLine
    lines: tuple[WorthLine, ...]
    closing: WorthLine
    used: NanoUSD
    used_as_cash: Range
    least_restriction: Decimal
    most_restriction: Decimal
    lot_months: int
    rate: Rate | None
    quarter: str
    """Whose rate that is."""
