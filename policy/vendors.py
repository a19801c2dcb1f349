"""What a vendor says of one day: how much of a model a key used, and what the vendor charges."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from datetime import date

    from policy.metering import Meters
    from policy.units import NanoUSD

Vendor = Literal["openai", "anthropic"]
VENDORS: tuple[Vendor, ...] = get_args(Vendor)

Kind = Literal["usage", "cost"]
USAGE: Kind = "usage"
COST: Kind = "cost"

NOT_CHARGED: dict[str, frozenset[str]] = {"anthropic": frozenset({"priority", "priority_on_demand"})}
"""Tiers that a vendor's cost report leaves out, because they are paid for in advance: never compared in USD."""

_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|latest)$")


class Place(NamedTuple):
    """What one line is about; a vendor has at most one line for each. What a vendor does not say is empty.

    Days are the vendor's own, from midnight to midnight in UTC. `key` is the vendor's id of an API key.
    """

    kind: Kind
    day: date
    key: str
    project: str
    model: str
    tier: str
    item: str
    """Of a cost: what it is for, in the vendor's words."""


class Line(NamedTuple):
    """A line of a vendor's report: counts of usage, or an amount."""

    place: Place
    meters: Meters
    calls: int | None
    """None where the vendor does not count them."""
    amount: NanoUSD | None


_BILLED_TIERS = ("whole-batch", "batch", "priority_on_demand", "priority", "flex_discount", "flex", "scale")


def billed_tier(tier: str) -> str:
    """A tier of the ledger by the name that vendors report it under: they do not tell regions and speeds apart."""
    found = next((name for name in _BILLED_TIERS if tier == name or tier.startswith(f"{name}-")), "")
    return "batch" if found == "whole-batch" else found


def family(model: str) -> str:
    """A model without its snapshot's date: gateways name a model as they were asked for it, vendors as it ran."""
    return _SNAPSHOT.sub("", model.rpartition("/")[2].lower())
