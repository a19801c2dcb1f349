"""Single cases of a review: held, amended or put back by a member of the board whom they do not concern."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from policy import texts
from policy.reasons import FieldsRefused, Refusal
from policy.reviews import votes
from policy.reviews.adjustment import THOUSANDTH, carried, is_spared
from policy.reviews.proposal import AMENDED, HELD, PROPOSED
from programme.reviews import notices, voting
from store.people import directory as people_store
from store.reviews import drafts
from store.reviews import votes as store
from store.reviews.votes import DECIDED_CASE

if TYPE_CHECKING:
    from policy.period import Quarter
    from policy.reviews.votes import Limits
    from programme.moment import Moment
    from store.people.directory import Person
    from views.reviews import Review, ReviewedCase


@dataclass(frozen=True, slots=True)
class CaseDecision:
    """A case that was held, amended or put back; the package is another one now."""

    review: Review
    case: ReviewedCase
    package: int


class Outcome(NamedTuple):
    """What is to become of a case, as it is kept."""

    decision: str
    amended_thousandths: int | None = None
    amended_factor: str | None = None


def mark(case: ReviewedCase) -> str:
    """What a form about a case carries, so that no one decides over what someone else has just decided."""
    at = "" if case.decided_at is None else case.decided_at.isoformat()
    return f"{case.decision}/{case.amended_thousandths}/{at}"


def hold(moment: Moment, voter: Person, quarter: Quarter, person_id: str, *, reason: str, seen: str) -> CaseDecision:
    """Leave someone's factor as it is, whatever becomes of the package."""
    kept, case = _to_decide(moment, voter, quarter, person_id, seen)
    voting.require_reason(reason)
    return _decide(moment, voter, kept, case, Outcome(HELD), reason=reason)


def amend(
    moment: Moment, voter: Person, quarter: Quarter, person_id: str, *, change: str, reason: str, seen: str
) -> CaseDecision:
    """Propose another change for someone, in per cent as it was typed, within the bounds of a quarter and a year."""
    kept, case = _to_decide(moment, voter, quarter, person_id, seen)
    delta = _change(moment, kept, case, change)
    voting.require_reason(reason)
    sizing = moment.handbooks.named(kept.basis.sized_by).sizing
    factor = carried(case.case.factor_before, delta * THOUSANDTH, sizing)
    outcome = Outcome(AMENDED, delta, f"{factor:f}")
    return _decide(moment, voter, kept, case, outcome, reason=reason)


def put_back(moment: Moment, voter: Person, quarter: Quarter, person_id: str, *, seen: str) -> CaseDecision:
    """Let a case that was held or amended be decided with the package again, as it was proposed."""
    kept, case = _to_decide(moment, voter, quarter, person_id, seen)
    if case.decision == PROPOSED:
        raise Refusal("as_proposed", "This case is already as it was proposed.")
    return _decide(moment, voter, kept, case, Outcome(PROPOSED), reason=None)


def limits(moment: Moment, kept: Review, case: ReviewedCase) -> Limits:
    """How far a case may be amended."""
    person_id = case.case.person_id
    rules = moment.handbooks.named(kept.basis.handbook).adjustment
    [one] = [one for one in drafts.inputs(moment.session, kept.quarter, person_id) if one.key == person_id]
    spared = is_spared(one.utilisation, rules, too_large=kept.resizes)
    return votes.limits(one.deltas, case.case.state_after, rules.change, spared=spared)


def _change(moment: Moment, kept: Review, case: ReviewedCase, text: str) -> int:
    allowed = limits(moment, kept, case)
    between = f"from {allowed.least / 10:g} to {allowed.most / 10:g} %"
    try:
        delta = votes.thousandths(text)
    except ValueError:
        example = f"for example {allowed.least / 10:g}"
        raise FieldsRefused(
            {"change": f"{texts.quoted(text)} does not fit. Write per cent {between}, {example}."}
        ) from None
    if delta < min(allowed.least, 0) and not allowed.may_cut:
        whom = "people marked LOW who used next to nothing" if kept.resizes else "people marked LOW"
        raise FieldsRefused(
            {"change": f"Only {whom} can be cut, so {delta / 10:g} % does not fit. Write per cent {between}."}
        )
    if not allowed.least <= delta <= allowed.most:
        raise FieldsRefused(
            {"change": f"{delta / 10:g} % is beyond the limits for a quarter and a year. Write per cent {between}."}
        )
    return delta


def case_for(moment: Moment, person: Person, quarter: Quarter, person_id: str) -> ReviewedCase:
    """A person's case for a member of the board whom it does not concern; a Refusal for everyone else."""
    panel = voting.panel_of(moment, quarter)
    seat = voting.seat_of(moment, panel, person.id, votes=store.votes(moment.session, quarter))
    case = drafts.case(moment.session, quarter, person_id)
    if case is None:
        raise Refusal("no_case", f"There is no such case in the review of {quarter}.")
    managers = managers_of(moment, case)
    for one in dict.fromkeys((person.id, seat.person_id)):
        _require_impartial(votes.conflict(one, person_id, managers), stands_in=one != person.id)
    return case


def managers_of(moment: Moment, case: ReviewedCase) -> frozenset[str]:
    """Whom a person reports to, at the end of the quarter and now."""
    now = people_store.manager_of(moment.session, case.case.person_id)
    return frozenset(one for one in (case.case.team, now) if one)


def _require_impartial(conflict: str, *, stands_in: bool) -> None:
    if not conflict:
        return
    whose = "the member you stand in for" if stands_in else "you"
    about = f"This case is about {whose}" if conflict == votes.OWN else f"This case is about a report of {whose}"
    if conflict == votes.REPORT and not stands_in:
        about = "This case is about someone who reports to you"
    raise Refusal(f"recused_{conflict}", f"{about}, so others decide it. You still vote on the package.")


def _to_decide(
    moment: Moment, voter: Person, quarter: Quarter, person_id: str, seen: str
) -> tuple[Review, ReviewedCase]:
    kept = voting.locked(moment, quarter)
    voting.require_undecided(moment, kept)
    case = case_for(moment, voter, quarter, person_id)
    if mark(case) != seen:
        raise Refusal(
            "case_moved",
            "Someone else has decided this case in the meantime, so what you sent changed nothing.",
            next_step="Open the cases again to see where it stands now.",
        )
    return kept, case


def _decide(
    moment: Moment, voter: Person, kept: Review, case: ReviewedCase, outcome: Outcome, *, reason: str | None
) -> CaseDecision:
    person_id, is_decided = case.case.person_id, outcome.decision != PROPOSED
    drafts.decide(
        moment.session,
        kept.quarter,
        person_id,
        **outcome._asdict(),
        decided_by=voter.id if is_decided else None,
        decided_at=moment.now if is_decided else None,
        decision_reason=None if reason is None else reason.strip(),
    )
    panel = voting.panel_of(moment, kept.quarter)
    store.next_package(moment.session, panel)
    moved = voting.move(moment, kept)
    notices.tell_of_change(moment, moved)
    now_case = drafts.case(moment.session, kept.quarter, person_id)
    assert now_case is not None  # noqa: S101 - cases are never deleted
    after = {"person": person_id, "package": panel.package + 1, **_of_case(now_case)}
    voting.note(moment, moved, voter.id, DECIDED_CASE, after, before=_of_case(case))
    return CaseDecision(moved, now_case, panel.package + 1)


def _of_case(case: ReviewedCase) -> dict[str, object]:
    return {"decision": case.decision, "delta_thousandths": case.delta_thousandths}
