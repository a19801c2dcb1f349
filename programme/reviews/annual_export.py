"""What the compensation review gets of a year: bands and counts by person id; no score, no amount, no rank."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from policy import handbook
from policy.appeals import UPHELD
from policy.reasons import Refusal
from policy.reviews.persons import LOW
from programme import anchors
from programme.people import directory
from store import audit
from store.appeals import records
from store.handbook import reference
from store.people import directory as people_store
from store.reviews import drafts
from store.reviews import exports as store
from views.reviews import ADOPTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.parameters.reviews import UseRules
    from policy.reviews.proposal import Case
    from programme.moment import Moment
    from store.people.directory import Person
    from views.reviews import Review, ReviewedCase

FINANCE = "finance"
NOT_ENOUGH_DATA, NOT_KNOWN = "not enough data", "not known"


@dataclass(frozen=True, slots=True)
class Line:
    """A person's quarter. Input to eligibility: nothing in it can be ordered into a rank of people."""

    person_id: str
    quarter: str
    state: str
    utilisation_band: str
    efficiency_band: str
    breaches: int
    exceptions_delivered: int
    exceptions_partly: int
    exceptions_nothing: int
    exceptions_untold: int
    appeal: str
    model_version: str
    stewardship_met: bool


@dataclass(frozen=True, slots=True)
class Exported:
    """The lines in the order of the person ids, and how many people wanted to be left out."""

    lines: tuple[Line, ...]
    left_out: int


def require_finance(moment: Moment, by: str) -> Person:
    """Who exports; a Refusal for everyone without the role."""
    reader = directory.require(moment, by)
    if FINANCE not in people_store.roles_of(moment.session, reader.id):
        raise Refusal(
            "not_finance", f"{by} does not have the role `finance`.", next_step="Only finance may export reviews."
        )
    return reader


def export(moment: Moment, year: int, *, by: str) -> Exported:
    """Everything adopted of a year's quarters, for someone of finance; that they took it is in the audit log."""
    reader = require_finance(moment, by)
    exported = of_year(moment, year)
    quarters = [str(one.quarter) for one in _adopted(moment, year)]
    after = {"quarters": quarters, "lines": len(exported.lines), "left_out": exported.left_out}
    audit.note(moment.session, reader.id, "review.export", str(year), at=moment.now, after=after)
    anchors.owe(moment, anchors.EXPORT)
    return exported


def of_year(moment: Moment, year: int) -> Exported:
    """The lines of a year, for what is made of them; nobody has taken them yet."""
    out = records.opted_out(moment.session)
    lines = [line for kept in _adopted(moment, year) for line in _of_review(moment, kept)]
    told = sorted((one for one in lines if one.person_id not in out), key=lambda one: (one.person_id, one.quarter))
    return Exported(tuple(told), len({one.person_id for one in lines} & out))


def _adopted(moment: Moment, year: int) -> list[Review]:
    return [one for one in drafts.all_of(moment.session) if one.quarter.year == year and one.state == ADOPTED]


def _of_review(moment: Moment, kept: Review) -> Iterator[Line]:
    begin, end = kept.quarter.bounds(moment.zone)
    body = reference.handbook_body(moment.session, kept.basis.handbook)
    assert body is not None  # noqa: S101 - a foreign key
    use = handbook.parse(body).adjustment.use
    exceptions = store.exceptions(moment.session, begin, end)
    breaches, open_ones = store.months_in_debt(moment.session, begin, end), store.in_debt(moment.session)
    appealed = records.of_quarter(moment.session, kept.quarter)
    for one in drafts.cases(moment.session, kept.quarter):
        id_ = one.case.person_id
        had = exceptions.get(id_, store.Exceptions({}, 0))
        appeal = appealed[id_].state if id_ in appealed else ""
        yield Line(
            person_id=id_,
            quarter=str(kept.quarter),
            state=one.case.state_after,
            utilisation_band=utilisation_band(one.case, use),
            efficiency_band=efficiency_band(one.case),
            breaches=breaches.get(id_, 0),
            exceptions_delivered=had.outcomes.get("delivered", 0),
            exceptions_partly=had.outcomes.get("partly", 0),
            exceptions_nothing=had.outcomes.get("nothing", 0),
            exceptions_untold=had.outcomes.get(store.UNTOLD, 0),
            appeal=appeal,
            model_version=kept.basis.handbook,
            stewardship_met=id_ not in open_ones and not had.unratified and not _low_without_reason(kept, one, appeal),
        )


def _low_without_reason(kept: Review, one: ReviewedCase, appeal: str) -> bool:
    """A reason is what the board wrote when it held or amended the case, or an appeal that it upheld.

    While the grants are too large for many, LOW is the programme's doing.
    """
    if kept.resizes:
        return False
    return one.case.state_after == LOW and not one.decision_reason and appeal != UPHELD


def utilisation_band(case: Case, use: UseRules) -> str:
    """Below, between or above the thresholds of the review's handbook."""
    if case.utilisation_permille is None:
        return NOT_KNOWN
    used = Decimal(case.utilisation_permille) / 1_000
    return "low" if used < use.low_enter else "high" if used > use.high_enter else "usual"


def efficiency_band(case: Case) -> str:
    """Above or below typical only where chance is ruled out to the same degree as for a raise."""
    if case.theta is None or case.lcb is None:
        return NOT_ENOUGH_DATA
    # The interval is symmetric about the score.
    upper = 2 * case.theta - case.lcb
    return "above" if case.lcb > 0 else "below" if upper < 0 else "typical"


def opt_out(moment: Moment, email: str, *, back: bool, actor: str) -> bool:
    """Leave someone out of exports from now on, or no longer; False when that is so already."""
    person = directory.require(moment, email)
    changed = (
        records.opt_in(moment.session, person.id)
        if back
        else records.opt_out(moment.session, person.id, now=moment.now)
    )
    if changed:
        action = "review.opt_in" if back else "review.opt_out"
        audit.note(moment.session, actor, action, person.id, at=moment.now)
    return changed
