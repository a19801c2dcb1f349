"""Deciding an appeal: one member of the board upholds or rejects it; silence calls in others, and then upholds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import texts
from policy.appeals import LAPSED, REJECTED, UPHELD
from policy.business_time import Span
from policy.deadlines import business_hours
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


SILENCE = "No one decided it in time."
COMES = {
    "lapses": "It lapses",
    "escalates": "It goes to the board's chair and to finance",
    "favour": "The cut is undone",
}
"""What comes of an appeal that no one decides in time."""


def require_decider(moment: Moment, person: Person, appeal: Appeal) -> None:
    """A Refusal that says why a person can't decide an appeal, or why there is nothing left to decide."""
    comes = COMES[appeals.silence(moment, appeal)]
    decisions.require_undecided(moment, APPEAL, appeal.state, appeal.decided_by, until=appeal.decide_by, silence=comes)
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
    said = texts.require(
        "reason", reason, 'Write why in a sentence, for example "The leave was not counted". The person will read it.'
    )
    moment = appeals.after_grants(moment, appeal.person_id)
    has_left = bool(board_store.left(moment.session, [appeal.person_id], moment.today))
    # Kept for `verify`: who sat and who was concerned changes.
    sat = {
        "seats": sorted(appeals.seats(moment)),
        "concerned": sorted(appeals.concerned(moment, appeal)),
        "called_in": sorted(appeals.called_in(moment, appeal)),
    }
    moved = _decided(moment, appeal, UPHELD if upheld else REJECTED, by=member.id, decision_reason=said)
    if upheld and not has_left:
        moved = crediting.give_back(moment, moved, actor=member.id)
    notices.tell_of_decision(moment, moved)
    appeals.note(moment, moved, member.id, store.DECIDED, place, **sat, left=has_left)
    return moved


def escalate(moment: Moment, appeal: Appeal, days: int) -> Appeal:
    """Call in the chair and finance, who have so many business days."""
    hours = business_hours(moment.handbook, moment.zone)
    decide_by = hours.after(moment.now, Span(days, "day", is_business=True))
    moved = appeals.move(moment, appeal, escalated_at=moment.now, decide_by=decide_by, remind_at=None)
    notices.tell_of_escalation(moment, moved, appeals.deciders(moment, moved))
    appeals.note(moment, moved, POLICY, store.ESCALATED)
    return moved


def end_in_favour(moment: Moment, appeal: Appeal) -> Appeal:
    """Uphold an appeal that no one decided: silence never takes anything away."""
    moment = appeals.after_grants(moment, appeal.person_id)
    has_left = bool(board_store.left(moment.session, [appeal.person_id], moment.today))
    moved = _decided(moment, appeal, UPHELD, by=POLICY, decision_reason=SILENCE)
    if not has_left:
        moved = crediting.give_back(moment, moved, actor=POLICY)
    notices.tell_of_decision(moment, moved)
    appeals.note(moment, moved, POLICY, store.UPHELD, left=has_left)
    return moved


def lapse(moment: Moment, appeal: Appeal) -> Appeal:
    """End an appeal that no one decided in time, under a handbook that lets the cut hold then."""
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
