"""Appeals, and their cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from policy.period import Month, Quarter
    from policy.reviews.ground import Ground
    from policy.units import MicroTokens
    from policy.weights import Annual
    from views.people import PersonName
    from views.reviews import ReviewedCase


Silence = Literal["lapses", "escalates", "favour"]
"""What happens to an open appeal that no one decides in time: it lapses, others are called in, or it is upheld."""


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal as it stands."""

    quarter: Quarter
    person_id: str
    revision: int
    state: str
    reason: str
    filed_at: datetime
    decide_by: datetime
    escalated_at: datetime | None
    remind_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    decision_reason: str | None
    cut_from: Month | None
    entry_id: int | None

    @property
    def id(self) -> str:
        return f"{self.quarter}/{self.person_id}"


@dataclass(frozen=True, slots=True)
class Card:
    """An appeal with its case, as all who read it see it."""

    appeal: Appeal
    case: ReviewedCase
    holds_from: Month
    person: PersonName
    decided_by: PersonName | None
    deciders: tuple[PersonName, ...]
    silence: Silence
    credited: MicroTokens | None
    ground: Ground
    is_overdue: bool = False
    """Its time is over, and the calendar has not closed it yet."""

    @property
    def id(self) -> str:
        return self.appeal.id

    @property
    def delta_thousandths(self) -> int:
        return self.case.delta_thousandths


@dataclass(frozen=True, slots=True)
class Duty:
    """An open appeal among all that waits for someone who may decide it."""

    appeal: Appeal
    delta_thousandths: int
    holds_from: Month
    person: PersonName

    @property
    def id(self) -> str:
        return self.appeal.id


@dataclass(frozen=True, slots=True)
class AnnualAppeal:
    """An appeal against what a year's annual review takes of someone's grants."""

    year: int
    person_id: str
    revision: int
    state: str
    reason: str
    filed_at: datetime
    decide_by: datetime
    remind_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    decision_reason: str | None
    counts_from: Month | None
    entry_id: int | None

    @property
    def id(self) -> str:
        return f"{self.year}/{self.person_id}"


@dataclass(frozen=True, slots=True)
class AnnualCard:
    """Such an appeal with the factor that it is about, as all who read it see it."""

    appeal: AnnualAppeal
    annual: Annual
    holds_from: Month
    person: PersonName
    decided_by: PersonName | None
    deciders: tuple[PersonName, ...]
    credited: MicroTokens | None
    is_overdue: bool = False
    """Its time is over, and the calendar has not closed it yet."""

    @property
    def id(self) -> str:
        return self.appeal.id


@dataclass(frozen=True, slots=True)
class AnnualDuty:
    """Such an appeal among all that waits for someone who may decide it."""

    appeal: AnnualAppeal
    annual: Annual
    holds_from: Month
    person: PersonName

    @property
    def id(self) -> str:
        return self.appeal.id
