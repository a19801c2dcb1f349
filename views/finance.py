"""What a cost centre bears of a month, as its owner is told and finance exports it.

Nothing in it lets a reader work out what fewer than five people used (docs/decisions/0066).
"""

from __future__ import annotations

from dataclasses import dataclass

from policy.units import MicroTokens, NanoUSD

USAGE, SHARED, EARLIER = "usage", "shared", "earlier"
"""What was used in the month; what of vendors' bills names nobody and is shared out; corrections of months before."""
NO_USD, NO_TOKENS = NanoUSD(0), MicroTokens(0)
NOT_APART = "not apart"
"""The key of what is of too few people, or added to it so that they are enough."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one service, project or kind of charge comes to, by its key and name."""

    key: str
    name: str
    spent: NanoUSD
    debited: MicroTokens


@dataclass(frozen=True, slots=True)
class CentreMonth:
    """A cost centre's month: `services`, `projects` and `kinds` each add up to its total, the largest first.

    Where `hidden` is set, too few people used something, and the rest is empty. `before` is the total of the month
    before; None where there is none, or where it would tell of the few people who are in one of them only.
    """

    key: str
    name: str
    month: str
    spent: NanoUSD = NO_USD
    debited: MicroTokens = NO_TOKENS
    people: int = 0
    services: tuple[Part, ...] = ()
    projects: tuple[Part, ...] = ()
    kinds: tuple[Part, ...] = ()
    before: NanoUSD | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class OwnersMonth:
    """What an owner is told: the month of each of their cost centres, by key, none of fewer than `least` people."""

    owner_id: str
    month: str
    centres: tuple[CentreMonth, ...]
    contact: str
    least: int = 5
