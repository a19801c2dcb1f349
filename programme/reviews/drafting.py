"""The quarterly review: drafted once from what is known then, kept with its inputs, shown, and worked out again.

A draft changes no one's grant: what people adopt does, from the month that they say.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from policy import rollout
from policy.period import Month, Quarter
from policy.reasons import Refusal
from policy.reviews import proposal
from programme.grants import nobody, sizing
from programme.reviews import backtests, gathering, summaries
from programme.value import valuation
from store import audit, locks, runs
from store.audit import POLICY
from store.handbook import reference
from store.locks import Lock
from store.proof import reviews
from store.reviews import drafts, votes
from views.reviews import DRAFT, Review

if TYPE_CHECKING:
    from datetime import date, datetime

    from policy.handbook import Handbook
    from policy.reviews.proposal import ChangeCounts
    from programme.handbooks import Handbooks
    from programme.moment import Moment
    from programme.reviews.gathering import Gathered
    from views.review_figures import Summary
    from views.reviews import ReviewedCase

JOB = "reviews"


@dataclass(frozen=True, slots=True)
class DraftOutcome:
    """What a draft proposes, and for which month's grants it was worked out."""

    quarter: Quarter
    month: Month
    counted: ChangeCounts
    missing: int
    inputs_digest: str


class ValueProposal(NamedTuple):
    """The digest of the value that is proposed for the quarter of the month, if any is, and why not."""

    digest: str | None
    note: str


def draft(moment: Moment, quarter: Quarter, *, actor: str = POLICY) -> DraftOutcome | None:
    """Draft the review of a quarter that is over; None when it is drafted already, or passed over.

    What it follows from is frozen with it, in the same transaction. A Refusal while it is too early for a review.
    Votes on an earlier one that is open come first or are refused: what they adopt is part of what this one says.
    A review that concerns nobody is refused; the calendar passes it over once the next quarter is over too.
    """
    books = moment.handbooks
    _require_due(moment, quarter, books.on(moment.today))
    if not runs.claim(moment.session, JOB, str(quarter), now=moment.now):
        return None
    locks.hold(moment.session, Lock.GRANTS)
    votes.lock_open(moment.session)
    book = books.on(_last_day(quarter))
    month = Month.containing(moment.today).next()
    # What was adopted and is to hold later counts as well: this review comes on top of it.
    last = drafts.last_adopted(moment.session)
    adjusted_in = month if last is None or last.holds_from is None else max(month, last.holds_from)
    planned = sizing.plan(moment, month, adjusted_in=adjusted_in)
    gathered = gathering.gather(moment, quarter, planned, book)
    cases = proposal.proposed(gathered.basis, gathered.inputs, book.adjustment, planned.book.sizing)
    if not cases:
        _of_nobody(moment, quarter, book, actor=actor)
        return None
    value = _value(moment, month.quarter, books)
    resize = proposal.resize(gathered.basis, gathered.inputs, book.adjustment, planned.book.sizing)
    figures = summaries.figures(moment, quarter, planned, book, value.note, resize=resize)
    kept = _review(quarter, gathered, value, figures, now=moment.now, actor=actor)
    drafts.insert(moment.session, kept, gathered.inputs, cases)
    counted = proposal.counted(case.delta_thousandths for case in cases)
    after = {
        "inputs_digest": kept.inputs_digest,
        "cases_digest": drafts.digest_of_cases(cases),
        **asdict(counted),
    }
    audit.note(
        moment.session, actor, reviews.DRAFTED, str(quarter), at=moment.now, after=after, handbook_version=book.version
    )
    return DraftOutcome(quarter, month, counted, sum(bool(case.missing) for case in cases), kept.inputs_digest)


def _of_nobody(moment: Moment, quarter: Quarter, book: Handbook, *, actor: str) -> None:
    """A Refusal that says why no one has a case; or a note of it, lest no later quarter is reviewed either."""
    if actor != POLICY or moment.now < quarter.next().bounds(moment.zone)[1]:
        raise Refusal(
            "review_of_nobody",
            f"No one has a case in {quarter}:\n{nobody.of_quarter(moment, quarter, book.rollout)}",
            next_step="See `tokens-bot people import` and `rollout draw`.",
        )
    after = {"cases": 0}
    audit.note(
        moment.session,
        actor,
        "review.pass_over",
        str(quarter),
        at=moment.now,
        after=after,
        handbook_version=book.version,
    )


def _last_day(quarter: Quarter) -> date:
    return list(quarter.days())[-1]


def _require_due(moment: Moment, quarter: Quarter, book: Handbook) -> None:
    first = rollout.first_review(book.rollout, book.sizing.history.quiet_quarters)
    if first is None:
        raise Refusal(
            "not_yet",
            "The programme has no launch date yet; the handbook has no rollout.launched_on.",
            next_step="Set it with `tokens-bot handbook apply`.",
        )
    if quarter < first:
        raise Refusal("not_yet", f"It is too early; grants are adjusted for the first time after {first}.")
    if moment.now < quarter.bounds(moment.zone)[1]:
        raise Refusal(
            "quarter_not_over", f"{quarter} is not over.", next_step=f"Draft it from {quarter.next().first_day} on."
        )


def _value(moment: Moment, quarter: Quarter, books: Handbooks) -> ValueProposal:
    """The value that waits to be adopted for a quarter; worked out now unless someone has done so."""
    if books.on(quarter.first_day).value.method == "fixed":
        return ValueProposal(None, "The handbook fixes the value.")
    if (known := reference.proposal(moment.session, quarter)) is not None:
        return ValueProposal(known.digest, "")
    try:
        return ValueProposal(valuation.propose(moment, quarter, actor=POLICY).digest, "")
    except Refusal as refusal:
        return ValueProposal(None, refusal.text)


def _review(
    quarter: Quarter, gathered: Gathered, value: ValueProposal, figures: dict[str, Any], *, now: datetime, actor: str
) -> Review:
    return Review(
        quarter=quarter,
        state=DRAFT,
        revision=1,
        drafted_at=now,
        drafted_by=actor,
        value_proposal=value.digest,
        basis=gathered.basis,
        inputs_digest=drafts.digest(gathered.basis, gathered.inputs),
        summary=figures,
        vote_until=None,
        decided_at=None,
        decided_by=None,
        holds_from=None,
    )


def require(moment: Moment, quarter: Quarter | None) -> Review:
    """The review of a quarter, or the latest one; a Refusal when there is none."""
    found = drafts.latest(moment.session) if quarter is None else drafts.get(moment.session, quarter)
    if found is None:
        which = "No review has been drafted yet." if quarter is None else f"There is no review of {quarter}."
        raise Refusal("no_review", which, next_step="See `tokens-bot review draft`.")
    return found


def case_of(moment: Moment, quarter: Quarter, person_id: str) -> ReviewedCase:
    """A person's case; a Refusal when they have none."""
    found = drafts.case(moment.session, quarter, person_id)
    if found is None:
        raise Refusal(
            "no_case",
            f"{person_id} has no case in {quarter}; they weren't in the programme at its end.",
        )
    return found


def recompute(moment: Moment, quarter: Quarter) -> list[str]:
    """What of a review does not follow from its frozen inputs; nothing, as long as no one changed it."""
    return list(reviews.differences(moment.session, require(moment, quarter)))


def summary(moment: Moment, quarter: Quarter) -> Summary:
    """The figures of a review for its board: the quarter's as of the draft, those of the cases as they stand."""
    kept = require(moment, quarter)
    book = moment.handbooks.on(_last_day(quarter))
    return summaries.of(moment, kept, book, backtests=backtests.to_come(moment, kept, book))
