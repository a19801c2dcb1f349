"""Deciding an appeal: one member of the board upholds or rejects it, or silence ends it and the cut holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import texts
from policy.appeals import LAPSED, OPEN, REJECTED, UPHELD
from policy.period import Month
from policy.reasons import Refusal
from programme import decisions
from programme.appeals import appeals, crediting, notices
from programme.appeals.appeals import APPEAL
from programme.people import board
from store.appeals import records as store
from store.audit import NOWHERE, POLICY, Place
from store.people import board as board_store

if TYPE_CHECKING:
    from programme.moment import Moment
    from store.people.directory import Person
    from views.appeals import Appeal


def require_decider(moment: Moment, person: Person, appeal: Appeal) -> None:
    """A Refusal that says why a person can't decide an appeal, or why there is nothing left to decide."""
    decisions.require_undecided(moment, APPEAL, appeal.state, appeal.decided_by, until=appeal.decide_by)
    if person.id in appeals.deciders(moment, appeal):
        return
    if not board.has_seat(moment, person.id):
        raise Refusal("not_on_board", "Only members of the governance board can decide appeals.")
    raise Refusal(
        "recused",
        "You can't decide this appeal because you had a part in the case.",
        next_step="Someone on the board can who neither decided the case nor manages the person.",
    )


def decide(
    moment: Moment, member: Person, appeal_id: str, *, upheld: bool, reason: str, place: Place = NOWHERE
) -> Appeal:
    """Uphold or reject an appeal, with a reason; the first click decides, and a later one is refused."""
    appeal = appeals.locked(moment, appeal_id)
    require_decider(moment, member, appeal)
    said = texts.require("reason", reason, "Say why in a sentence.")
    moment = appeals.after_grants(moment, appeal.person_id)
    has_left = bool(board_store.left(moment.session, [appeal.person_id], moment.today))
    # Kept for `verify`: who sat and who was concerned changes.
    seats, concerned = sorted(appeals.seats(moment)), sorted(appeals.concerned(moment, appeal))
    moved = _decided(moment, appeal, UPHELD if upheld else REJECTED, by=member.id, decision_reason=said)
    if upheld and not has_left:
        moved = crediting.give_back(moment, moved, actor=member.id)
    notices.tell_of_decision(moment, moved)
    appeals.note(moment, moved, member.id, store.DECIDED, place, seats=seats, concerned=concerned, left=has_left)
    return moved


def lapse(moment: Moment, appeal_id: str) -> Appeal | None:
    """End an appeal that no one decided in time: silence never approves. None when it was decided meanwhile."""
    appeal = appeals.locked(moment, appeal_id)
    if appeal.state != OPEN or moment.now < appeal.decide_by:
        return None
    moment = appeals.after_grants(moment, appeal.person_id)
    moved = _decided(moment, appeal, LAPSED, by=POLICY)
    notices.tell_of_decision(moment, moved)
    appeals.note(moment, moved, POLICY, store.LAPSED)
    return moved


def _decided(moment: Moment, appeal: Appeal, state: str, *, by: str, **more: object) -> Appeal:
    # What was granted while it was open stays granted: the cut holds from the next month at the earliest.
    next_month = Month.containing(moment.today).next()
    cut_from = None if state == UPHELD else str(max(appeals.holds_from(moment, appeal), next_month))
    return appeals.move(moment, appeal, state=state, cut_from=cut_from, decided_at=moment.now, decided_by=by, **more)
