"""What the board is told and asked about a cash cap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.cash import OPEN, RAISED, Ruling

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from policy.period import Month
    from policy.units import NanoUSD
    from views.people import PersonName


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it stands. `base` is what the handbook allowed when it was asked, `limit` what was in force."""

    id: str
    revision: int
    cap: str
    first_day: date
    base: NanoUSD
    limit: NanoUSD
    state: str
    handbook_version: str
    asked_at: datetime
    needed: int
    first_stage: int
    stage: int
    remind_at: datetime
    escalate_at: datetime
    last_call_at: datetime
    lapse_at: datetime
    next_step: str | None
    next_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    raised_to: NanoUSD | None

    @property
    def is_open(self) -> bool:
        return self.state == OPEN

    @property
    def ruling(self) -> Ruling:
        return Ruling(self.state, self.base, self.raised_to)


@dataclass(frozen=True, slots=True)
class VoteShown:
    """Who voted for what; `stands_for` is the member whose vote it is, where that is someone else."""

    who: PersonName
    stands_for: PersonName | None
    choice: str
    limit: NanoUSD | None


@dataclass(frozen=True, slots=True)
class Spend:
    """What of a cash cap is used and held now, and until when it lasts at the pace of the last weeks.

    `runs_out` is None where it lasts the month, or where it is too early to tell. `action` and `services` say what
    happens once it is reached, as long as no one decides.
    """

    cap: str
    month: Month
    limit: NanoUSD
    used: NanoUSD
    held: NanoUSD
    runs_out: date | None
    action: str
    services: tuple[str, ...]
    at: datetime
    slow_to: str = ""

    @property
    def percent(self) -> int:
        """Of the limit, rounded down."""
        return int(self.used) * 100 // int(self.limit)


@dataclass(frozen=True, slots=True)
class CashCard:
    """A question as those who decide it see it; `counts` are the votes for each choice."""

    question: Question
    spend: Spend
    votes: tuple[VoteShown, ...]
    counts: Mapping[str, int]
    awaited: tuple[PersonName, ...]
    decided_by: PersonName | None
    is_overdue: bool
    chair_and_finance: bool
    overtaken: bool = False
    """The handbook has another amount by now, so there is nothing left to decide."""

    @property
    def is_over(self) -> bool:
        return not self.question.is_open or self.is_overdue or self.overtaken

    @property
    def is_raised(self) -> bool:
        return self.question.state == RAISED
