"""Reviews, their cases, and how the board and the file show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from policy.reviews.proposal import AMENDED, HELD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from decimal import Decimal

    from policy.exceptions import Tally
    from policy.period import Month, Quarter
    from policy.reasons import Reason
    from policy.reviews.ground import Ground
    from policy.reviews.proposal import Basis, Case, ChangeCounts
    from policy.units import MicroTokens
    from views.people import PersonName
    from views.review_figures import Summary
    from views.roi import FrozenReport
    from views.value import Histogram

DRAFT, ADOPTED, LAPSED = "draft", "adopted", "lapsed"


@dataclass(frozen=True, slots=True)
class Review:
    """A review as it stands; its inputs and cases are read apart from it."""

    quarter: Quarter
    state: str
    revision: int
    drafted_at: datetime
    drafted_by: str
    value_proposal: str | None
    basis: Basis
    inputs_digest: str
    summary: Mapping[str, Any]
    vote_until: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    holds_from: Month | None

    @property
    def resizes(self) -> bool:
        """Whether it found the grants too large for many, so that LOW is no one's own fault."""
        return self.summary.get("resize") is not None


class ReviewedCase(NamedTuple):
    """A case with what became of it."""

    case: Case
    decision: str
    amended_thousandths: int | None
    amended_factor: Decimal | None
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None

    @property
    def delta_thousandths(self) -> int:
        """What the change is by now: as proposed, none where it is held, or as it was amended."""
        if self.decision == AMENDED and self.amended_thousandths is not None:
            return self.amended_thousandths
        return 0 if self.decision == HELD else self.case.delta_thousandths

    @property
    def factor(self) -> Decimal:
        """What all adjustments make together if the review is adopted."""
        if self.decision == AMENDED and self.amended_factor is not None:
            return self.amended_factor
        return self.case.factor_before if self.decision == HELD else self.case.factor_after


@dataclass(frozen=True, slots=True)
class ValueState:
    """What became of the proposed value of a quarter, or what adopting the package makes of it.

    `none` is proposed; it `waits` to be adopted, or was adopted by the `first` of the two people whom it needs; it is
    `adopted`; or nothing can be done: the handbook has `fixed` the value, `another` one was proposed since, the quarter
    is `over`. `version` is that of the value once it is adopted, `by` those who did so, as far as we know them.
    """

    state: str
    quarter: Quarter | None = None
    needs_two: bool = False
    version: str = ""
    by: tuple[PersonName, ...] = ()


NOT_PROPOSED = ValueState("none")


@dataclass(frozen=True, slots=True)
class VoteLine:
    """A vote as the pack shows it; `counts` is False where it was about an earlier package."""

    who: PersonName
    stands_for: PersonName | None
    adopts: bool
    reason: str | None
    counts: bool


@dataclass(frozen=True, slots=True)
class Pack:
    """A review, its figures, and where its vote stands. `names` are those of the teams' leads, by id.

    `value` is what becomes of the token value that is proposed with it; `superseded_by` the review that ended its vote.
    """

    review: Review
    summary: Summary
    package: int
    tally: Tally
    votes: tuple[VoteLine, ...]
    awaited: tuple[PersonName, ...]
    decided_by: PersonName | None
    cases: int
    holds_from: Month
    names: Mapping[str, str]
    value: ValueState = NOT_PROPOSED
    superseded_by: Quarter | None = None
    brings: FrozenReport | None = None
    """The report of the return through the last month of the quarter that has one."""

    @property
    def is_open(self) -> bool:
        return self.review.state == DRAFT

    @property
    def is_adopted(self) -> bool:
        return self.review.state == ADOPTED


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in a list; `conflict` is why its reader has no say in it, and then sees nothing of it either."""

    person_id: str
    name: str
    case: ReviewedCase | None
    conflict: str


RAISE, CUT, SAME, HELD_BACK = "raise", "cut", "none", "held"


def kind_of_change(delta_thousandths: int, decision: str) -> str:
    """By which of these a case is found, as it stands."""
    if decision == HELD:
        return HELD_BACK
    return RAISE if delta_thousandths > 0 else CUT if delta_thousandths < 0 else SAME


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What a list of cases is narrowed to; what is empty does not narrow it.

    `name` and `team` are parts of a person's name and of that of whom they report to, `change` is one of the kinds.
    """

    name: str = ""
    team: str = ""
    level: str = ""
    change: str = ""

    @property
    def is_set(self) -> bool:
        return self != EVERY_CASE


EVERY_CASE = CaseFilter()


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the cases: those that change first, the greatest changes before the others. Pages count from 0.

    `counted` and `cases` are of all of them, `found` is how many there are of those that it is narrowed to.
    """

    quarter: Quarter
    lines: tuple[CaseLine, ...]
    number: int
    pages: int
    counted: ChangeCounts
    cases: int
    is_open: bool
    narrowed: CaseFilter = EVERY_CASE
    found: int = 0


@dataclass(frozen=True, slots=True)
class OwnVote:
    """How the seat of a reader voted: `by` whom and for whom it `stands_for` where that is someone else.

    It `counts` as long as no case changed since.
    """

    adopts: bool
    reason: str | None
    counts: bool
    by: PersonName | None = None
    stands_for: PersonName | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A review that is open, for someone who may vote on it, with their own vote, None where there was none."""

    review: Review
    package: int
    tally: Tally
    vote: OwnVote | None
    value: ValueState

    @property
    def awaits_reader(self) -> bool:
        """Whether their vote on the package as it stands is missing."""
        return self.vote is None or not self.vote.counts

    @property
    def is_open(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in the file. Without `case` it is the reader's own or a report's: they see nothing of it.

    `team` is whom the person reported to, by name.
    """

    name: str
    case: ReviewedCase | None
    decided_by: str
    team: str = ""
    level: str = ""


@dataclass(frozen=True, slots=True)
class Cases:
    """All cases, in the order of the board's lists, and who takes them."""

    rows: tuple[CaseRow, ...]
    reader: str


@dataclass(frozen=True, slots=True)
class ReviewFile:
    """The pack as it stands at an instant, and what its pictures show."""

    pack: Pack
    use: Histogram
    cases: Cases | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """What an adopted review makes of a person's grant, and why.

    The grants are those of the month `sized_for` without the change and with it, within floor, cap and budget; None
    where there are none. `bound` is the limit at which the new one is. `appeal_until` is None where nothing is cut.
    """

    quarter: Quarter
    holds_from: Month
    delta_thousandths: int
    factor_before: Decimal
    factor_after: Decimal
    sized_for: str
    grant_before: MicroTokens | None
    grant_after: MicroTokens | None
    bound: str
    decision: str
    decision_reason: str
    ground: Ground
    peers_size: int | None
    unit: str
    state: str
    because: tuple[Reason, ...]
    would_change: tuple[Reason, ...]
    appeal_until: date | None
    contact: str
