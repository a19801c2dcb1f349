"""Differences between the ledger and vendors' figures, as they are kept and shown."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - as below
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - views are kept, and read again by their annotations
from typing import Any

from policy.units import NanoUSD  # noqa: TC001 - as above
from views.people import PersonName  # noqa: TC001 - as above

OPEN, WAITING, CORRECTING = "open", "waiting", "correcting"
ACCEPTED, CORRECTED, GONE = "accepted", "corrected", "gone"
UNDECIDED = (OPEN, WAITING)
UNSETTLED = (OPEN, WAITING, CORRECTING)
"""A month with one of these is not closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A difference and where its decision stands. `settled` is what was posted for it already."""

    id: str
    vendor: str
    month: str
    cause: str
    source: str
    revision: int
    state: str
    amount: NanoUSD
    moved: NanoUSD
    settled: NanoUSD
    content: Mapping[str, Any]
    found_at: datetime
    decision: Mapping[str, Any] | None = None
    chosen_by: str | None = None
    confirmed_by: str | None = None
    decided_at: datetime | None = None

    @property
    def open_amount(self) -> NanoUSD:
        """What the vendor charges beyond the ledger, and nothing was posted for yet."""
        return self.amount - self.settled

    @property
    def is_undecided(self) -> bool:
        return self.state in UNDECIDED

    @property
    def models(self) -> list[Mapping[str, Any]]:
        return list(self.content["models"])

    @property
    def evidence(self) -> list[str]:
        return [one["text"] for one in self.content["evidence"]]

    @property
    def first(self) -> str:
        return min(str(one["on"][0]) for one in self.models)

    @property
    def last(self) -> str:
        return max(str(one["on"][-1]) for one in self.models)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """How a vendor's month adds up: charged = posted + Σ differences + small, for the days up to `last`."""

    vendor: str
    month: str
    first: str
    last: str
    is_whole: bool
    """Every day of the month was asked for, and none is pending."""
    charged: NanoUSD
    posted: NanoUSD
    uncharged: NanoUSD
    small: NanoUSD
    pending: tuple[str, ...]
    pending_usd: NanoUSD


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCard:
    """A difference as finance sees it: who chose and confirmed what, and whether calls themselves can be corrected.

    `needs_two` is whether posting what is open takes a second person.
    """

    found: Found
    chosen_by: PersonName | None
    confirmed_by: PersonName | None
    can_mend: bool
    needs_two: bool
    is_closed: bool
    """Its month is: what is posted now is booked after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What somebody from finance wants to know of a difference, for administrators."""

    card: FindingCard
    asked_by: PersonName
    text: str
