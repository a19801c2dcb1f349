"""Proposed handbooks, their cards, and the form for thresholds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from policy.changes import Difference
    from policy.period import Quarter
    from views.people import PersonName
    from views.review_figures import BackTest

OPEN, CONFIRMED, DECLINED, WITHDRAWN, LAPSED = "open", "confirmed", "declined", "withdrawn", "lapsed"


class Proposal(NamedTuple):
    """A version that someone proposed."""

    id: str
    version: str
    effective_from: date
    body: str
    digest: str
    proposed_by: str
    proposed_at: datetime
    state: str
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None

    @property
    def is_open(self) -> bool:
        return self.state == OPEN


THRESHOLDS = "adjustment."
"""What keys of the review's thresholds begin with."""


class Trial(NamedTuple):
    """A review's quarter, and how its cases would have come out."""

    quarter: Quarter
    test: BackTest


@dataclass(frozen=True, slots=True)
class Card:
    """A proposal with all that a decision needs; `base` is the version that it would follow.

    `tried` is what other thresholds would have made of the latest review, as long as the proposal is open.
    """

    proposal: Proposal
    base: str
    changes: tuple[Difference, ...]
    proposer: PersonName
    decided_by: PersonName | None
    lapse_at: datetime
    tried: Trial | None = None
    is_overdue: bool = False
    """Its time is over, and the calendar has not closed it yet."""

    @property
    def moves_thresholds(self) -> bool:
        return any(one.key.startswith(THRESHOLDS) for one in self.changes)

    @property
    def mark(self) -> str:
        """Stands for `base` in buttons: what was compared with another version is not what is confirmed."""
        return hashlib.sha256(self.base.encode()).hexdigest()[:12]


class Threshold(NamedTuple):
    """A value of `[adjustment]` that a board talks about: its key, what the form calls it, and the most per cent."""

    key: str
    name: str
    most: int


@dataclass(frozen=True, slots=True)
class Offered:
    """What a form begins with: the version that the new one would follow, and its values in per cent, by key.

    `low_quarters` is how many quarters in a row make someone LOW, and `is_relative` whether their peers matter, too.
    """

    base: str
    percents: Mapping[str, str]
    days: tuple[date, ...]
    version: str
    low_quarters: int
    is_relative: bool = False
