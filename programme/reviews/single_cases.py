"""Single cases of a review: held, amended or put back by a member of the board whom they do not concern."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from policy.period import day_of
from policy.reasons import FieldsRefused, Refusal
from policy.reviews import votes
from policy.reviews.adjustment import THOUSANDTH, carried
from policy.reviews.proposal import AMENDED, HELD, PROPOSED
from programme import handbooks
from programme.reviews import notices, voting
from store import audit
from store.people import directory as people_store
from store.reviews import drafts
from store.reviews import votes as store
from store.reviews.votes import DECIDED_CASE

if TYPE_CHECKING:
    from datetime import datetime

    from policy.period import Quarter
    from policy.reviews.votes import Limits
    from programme.app import Desk
    from store.engine import Session
    from store.people.directory import Person
    from store.reviews.drafts import Kept, Review


@dataclass(frozen=True, slots=True)
class Decided:
    """A case that was held, amended or put back; the package is another one now."""

    review: Review
    case: Kept
    package: int


class Outcome(NamedTuple):
    """What is to become of a case, as it is kept."""

    decision: str
    amended_thousandths: int | None = None
    amended_factor: str | None = None


def mark(case: Kept) -> str:
    """What a form about a case carries, so that no one decides over what someone else has just decided."""
    at = "" if case.decided_at is None else case.decided_at.isoformat()
    return f"{case.decision}/{case.amended_thousandths}/{at}"


def hold(
    session: Session, voter: Person, quarter: Quarter, person_id: str, *, reason: str, seen: str, desk: Desk,
    now: datetime,
) -> Decided:  # fmt: skip
    """Leave someone's factor as it is, whatever becomes of the package."""
    kept, case = _to_decide(session, voter, quarter, person_id, seen, desk=desk, now=now)
    voting.require_reason(reason)
    return _decide(session, voter, kept, case, Outcome(HELD), reason=reason, desk=desk, now=now)


def amend(
    session: Session, voter: Person, quarter: Quarter, person_id: str, *, change: str, reason: str, seen: str,
    desk: Desk, now: datetime,
) -> Decided:  # fmt: skip
    """Propose another change for someone, in per cent as it was typed, within the bounds of a quarter and a year."""
    kept, case = _to_decide(session, voter, quarter, person_id, seen, desk=desk, now=now)
    delta = _change(session, kept, case, change)
    voting.require_reason(reason)
    sizing = handbooks.load(session).named(kept.basis.sized_by).sizing
    factor = carried(case.case.factor_before, delta * THOUSANDTH, sizing)
    outcome = Outcome(AMENDED, delta, f"{factor:f}")
    return _decide(session, voter, kept, case, outcome, reason=reason, desk=desk, now=now)


def put_back(
    session: Session, voter: Person, quarter: Quarter, person_id: str, *, seen: str, desk: Desk, now: datetime
) -> Decided:  # fmt: skip
    """Let a case that was held or amended be decided with the package again, as it was proposed."""
    kept, case = _to_decide(session, voter, quarter, person_id, seen, desk=desk, now=now)
    if case.decision == PROPOSED:
        raise Refusal("as_proposed", "This case is already as it was proposed.")
    return _decide(session, voter, kept, case, Outcome(PROPOSED), reason=None, desk=desk, now=now)


def limits(session: Session, kept: Review, case: Kept) -> Limits:
    """How far a case may be amended."""
    person_id = case.case.person_id
    rules = handbooks.load(session).named(kept.basis.handbook).adjustment.change
    [one] = [one for one in drafts.inputs(session, kept.quarter, person_id) if one.key == person_id]
    return votes.limits(one.deltas, case.case.state_after, rules)


def _change(session: Session, kept: Review, case: Kept, text: str) -> int:
    allowed = limits(session, kept, case)
    between = f"from {allowed.least / 10:g} to {allowed.most / 10:g} %"
    try:
        delta = votes.thousandths(text)
    except ValueError:
        raise FieldsRefused({"change": f"{text!r}: write per cent with at most one decimal, {between}."}) from None
    if delta < min(allowed.least, 0) and not allowed.may_cut:
        raise FieldsRefused({"change": f"{delta / 10:g} %: only people marked LOW can be cut. Choose {between}."})
    if not allowed.least <= delta <= allowed.most:
        raise FieldsRefused({"change": f"{delta / 10:g} %: choose {between}, the limits for a quarter and a year."})
    return delta


def case_for(
    session: Session, person: Person, quarter: Quarter, person_id: str, *, desk: Desk, now: datetime
) -> Kept:  # fmt: skip
    """A person's case for a member of the board whom it does not concern; a Refusal for everyone else."""
    panel = voting.panel_of(session, quarter)
    seat = voting.seat_of(session, panel, person.id, votes=store.votes(session, quarter), desk=desk, now=now)
    case = drafts.case(session, quarter, person_id)
    if case is None:
        raise Refusal("no_case", f"There is no such case in the review of {quarter}.")
    managers = managers_of(session, case)
    for one in dict.fromkeys((person.id, seat.person_id)):
        _require_impartial(votes.conflict(one, person_id, managers), stands_in=one != person.id)
    return case


def managers_of(session: Session, case: Kept) -> frozenset[str]:
    """Whom a person reports to, at the end of the quarter and now."""
    now = people_store.manager_of(session, case.case.person_id)
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
    session: Session, voter: Person, quarter: Quarter, person_id: str, seen: str, *, desk: Desk, now: datetime
) -> tuple[Review, Kept]:
    kept = voting.locked(session, quarter)
    voting.require_undecided(session, kept, now)
    case = case_for(session, voter, quarter, person_id, desk=desk, now=now)
    if mark(case) != seen:
        raise Refusal(
            "case_moved", "Someone else has decided this case in the meantime, so what you sent changed nothing.",
            next_step="Open the cases again to see where it stands now.",
        )  # fmt: skip
    return kept, case


def _decide(
    session: Session, voter: Person, kept: Review, case: Kept, outcome: Outcome, *, reason: str | None, desk: Desk,
    now: datetime,
) -> Decided:  # fmt: skip
    person_id, is_decided = case.case.person_id, outcome.decision != PROPOSED
    drafts.decide(
        session, kept.quarter, person_id, **outcome._asdict(), decided_by=voter.id if is_decided else None,
        decided_at=now if is_decided else None, decision_reason=None if reason is None else reason.strip(),
    )  # fmt: skip
    panel = voting.panel_of(session, kept.quarter)
    store.next_package(session, panel)
    moved = voting.move(session, kept)
    notices.tell_of_change(session, moved, now=now)
    now_case = drafts.case(session, kept.quarter, person_id)
    assert now_case is not None  # noqa: S101 - cases are never deleted
    after = {"person": person_id, "package": panel.package + 1, **_of_case(now_case)}
    book, before = handbooks.load(session).on(day_of(now, desk.zone)), _of_case(case)
    audit.append(session, voting.record(moved, voter.id, DECIDED_CASE, now, book, after, before=before))
    return Decided(moved, now_case, panel.package + 1)


def _of_case(case: Kept) -> dict[str, object]:
    return {"decision": case.decision, "delta_thousandths": case.delta_thousandths}
