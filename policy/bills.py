"""A vendor's bill as it is kept: where each part of its cost goes, and how that becomes whole nano-USD and tokens."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from policy.metering import BILLED, Price, UnitPrice
from policy.units import NANO_PER_USD, divide_half_even, split_by_largest_remainder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

SOURCE = "bill:"
"""How the sources of usage begin that bills are."""
ENTRIES = "adjustment:bill:"
"""How the keys of entries begin that share a bill out."""
ATTO_PER_NANO = NANO_PER_USD
"""Bills have more decimals than a nano-USD: they are added up in units of 10^-18 USD."""
PERSON, PROJECT, KEPT, OUTSIDE, ROUNDING = "person", "project", "kept", "outside", "rounding"
"""Whose a part is, beside the keys of the handbook: what a tag names, what gateways report already, and no one's here.

`ROUNDING` are the fractions of a nano-USD that single parts lose: the company bears them.
"""
TAGGED = (PERSON, PROJECT)
NOT_POSTED = (KEPT, OUTSIDE)
PRICE = Price("", "", "bill", {BILLED: UnitPrice(NANO_PER_USD, NANO_PER_USD)})
"""A bill says what something cost: its one meter counts nano-USD."""


class BillName(NamedTuple):
    """Which bill: the account that is billed, and the first day of the billing period."""

    account: str
    period: date


class Place(NamedTuple):
    """What a bill's rows are added up by. Of what no tag names only the service and the month are kept."""

    bears: str
    service: str
    """The key of an approved service; of what is outside the bill's own name of it."""
    day: date
    person: str = ""
    project: str = ""
    model: str = ""

    @property
    def key(self) -> bytes:
        return blake2b("\x1f".join(map(str, self)).encode(), digest_size=16).digest()


class Sum(NamedTuple):
    """How many rows a place has, and what they cost in atto-USD."""

    rows: int
    atto_usd: int

    @property
    def nano_usd(self) -> int:
        """To the nearest nano-USD, halves to the even one."""
        return divide_half_even(self.atto_usd, ATTO_PER_NANO)

    def plus(self, other: Sum) -> Sum:
        return Sum(self.rows + other.rows, self.atto_usd + other.atto_usd)


def owed(place: Place, cost: Sum) -> int:
    """What is debited as usage; a credit is none, and is given back as a share instead."""
    return max(cost.nano_usd, 0) if place.bears in TAGGED else 0


class Share(NamedTuple):
    """What an account bears, or gets back."""

    nano_usd: int
    micro_tokens: int


def shares(nano_usd: int, micro_tokens: int, weights: Mapping[int, int]) -> dict[int, Share]:
    """An amount by account in proportion to weights, to the last unit of each; below zero it is given back."""
    parts = list(weights.values())
    usd, tokens = _split(nano_usd, parts), _split(micro_tokens, parts)
    return {account: Share(*both) for account, *both in zip(weights, usd, tokens, strict=True)}


def _split(amount: int, weights: Sequence[int]) -> list[int]:
    sign = -1 if amount < 0 else 1
    return [sign * part for part in split_by_largest_remainder(abs(amount), weights)]


def missing(before: Mapping[Place, Sum], after: Mapping[Place, Sum]) -> tuple[int, int]:
    """Of what stood: the atto-USD of services on days that a later file has nothing of; and all of it."""
    there = {(place.service, place.day) for place in after}
    gross = {place: abs(cost.atto_usd) for place, cost in before.items()}
    gone = sum(amount for place, amount in gross.items() if (place.service, place.day) not in there)
    return gone, sum(gross.values())
