"""Deciding on a proposed handbook, which takes a second person: one of the board confirms or declines it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import texts
from policy.exceptions import ALTERNATE, MEMBER, RESERVE
from policy.period import Month
from policy.reasons import Refusal
from programme import decisions
from programme.handbook import applying, cards, notices
from programme.handbook.cards import OPEN_FOR, PROPOSAL
from programme.people import board
from store import audit, locks, runs
from store.audit import NOWHERE, POLICY, Place
from store.handbook import proposals as store
from store.locks import Lock
from store.people import board as board_store
from views.handbook import CONFIRMED, DECLINED, LAPSED, WITHDRAWN

if TYPE_CHECKING:
    from datetime import date, datetime

    from policy.exceptions import Seat
    from policy.handbook import Handbook
    from programme.moment import Moment
    from store.people.directory import Person
    from views.handbook import Card, Proposal

GRANTS = "grants"
"""The job whose runs are judged by the handbook of their month's first day."""


def deciders(moment: Moment, proposed_by: str) -> tuple[Seat, ...]:
    """Who may confirm: members of the board but not the proposer; alternates, then chair and finance, without any.

    Administrators and auditors have no seat, and no one sits in for anyone else here.
    """
    sitting = [seat for seat in board.seats(moment) if seat.person_id != proposed_by]
    for kind in (MEMBER, ALTERNATE, RESERVE):
        if able := tuple(seat for seat in sitting if seat.kind == kind):
            return able
    return ()


def may_decide(moment: Moment, proposal: Proposal, person_id: str) -> bool:
    return any(seat.person_id == person_id for seat in deciders(moment, proposal.proposed_by))


def require_to_come(moment: Moment, effective_from: date) -> None:
    """What has been judged stays judged: no date that is over, and no month whose grants were run."""
    if effective_from < moment.today:
        raise Refusal(
            "handbook_past",
            f"effective_from = {effective_from} is in the past.",
            next_step="Propose it again with a new date.",
        )
    ran = runs.last_periods(moment.session).get(GRANTS)
    if ran is not None and Month.parse(ran).first_day >= effective_from:
        raise Refusal(
            "month_granted",
            f"effective_from = {effective_from}: the grants for {ran} are already made under the version before.",
            next_step="Propose it again with a later date.",
        )


def confirm(moment: Moment, by: Person, proposal_id: str, mark: str, *, place: Place = NOWHERE) -> Handbook:
    """Apply what someone else proposed; `mark` is that of the card on which it was read."""
    locks.hold(moment.session, Lock.HANDBOOKS)
    proposal = _held(moment, proposal_id)
    _require_second(moment, proposal, by)
    card = cards.untried(moment, proposal)
    if mark != card.mark:
        raise Refusal(
            "handbook_moved",
            f"The handbook has changed since this was shown; {card.base!r} now comes before it.",
            next_step="Look at the changes again in `/tokens policy`.",
        )
    require_to_come(moment, proposal.effective_from)
    applied = applying.apply(moment, proposal.body, actor=by.id)
    _close(moment, proposal, CONFIRMED, by.id, place=place)
    for other in store.all_open(moment.session):
        # It would follow another version now, and so changes something else.
        notices.renew(moment, other, f"after:{proposal.id}")
    return applied


def decline(moment: Moment, by: Person, proposal_id: str, reason: str, *, place: Place = NOWHERE) -> Proposal:
    """Turn down what someone else proposed, and say why."""
    proposal = _held(moment, proposal_id)
    _require_second(moment, proposal, by)
    said = texts.require(
        "reason",
        reason,
        'Write why in a sentence, for example "Wait until the audit is over". The proposer will read it.',
    )
    return _close(moment, proposal, DECLINED, by.id, place=place, reason=said)


def require_decidable(moment: Moment, by: Person, proposal_id: str) -> Card:
    """The card of a proposal that someone may decide; a Refusal says why not."""
    proposal = _undecided(moment, store.get(moment.session, proposal_id), proposal_id)
    _require_second(moment, proposal, by)
    return cards.untried(moment, proposal)


def withdraw(moment: Moment, by: Person, proposal_id: str) -> Proposal:
    """Take one's own proposal back."""
    proposal = _held(moment, proposal_id)
    if proposal.proposed_by != by.id:
        raise Refusal("not_yours", "Someone else proposed this.", next_step="Only its proposer can withdraw it.")
    return _close(moment, proposal, WITHDRAWN, by.id)


def lapse(moment: Moment, proposal_id: str) -> bool:
    """Close a proposal that no one decided in time; False when someone did."""
    proposal = store.lock(moment.session, proposal_id)
    if proposal is None or not proposal.is_open or moment.now < cards.lapse_at(proposal):
        return False
    _close(moment, proposal, LAPSED, POLICY)
    return True


def to_lapse(moment: Moment) -> list[tuple[str, str, datetime]]:
    """(proposal, step, instant) of what the calendar has to do about proposals."""
    return [(id_, "lapse", at + OPEN_FOR) for id_, at in store.open_before(moment.session, moment.now - OPEN_FOR)]


def _held(moment: Moment, proposal_id: str) -> Proposal:
    """An open proposal, held until the transaction ends."""
    return _undecided(moment, store.lock(moment.session, proposal_id), proposal_id)


def _undecided(moment: Moment, found: Proposal | None, proposal_id: str) -> Proposal:
    proposal = decisions.require_known(found, PROPOSAL, proposal_id)
    decisions.require_undecided(moment, PROPOSAL, proposal.state, proposal.decided_by, until=cards.lapse_at(proposal))
    return proposal


def _require_second(moment: Moment, proposal: Proposal, by: Person) -> None:
    if by.id == proposal.proposed_by:
        raise Refusal(
            "second_person",
            "You proposed this, and a change to the handbook takes two people.",
            next_step="Another member of the board decides it. You can withdraw it with `/tokens policy`.",
        )
    if by.id in board_store.bystanders(moment.session):
        raise Refusal("bystander", "Administrators and auditors can't decide on the handbook.")
    if not may_decide(moment, proposal, by.id):
        raise Refusal("not_on_board", "Only members of the board can decide on the handbook.")


def _close(
    moment: Moment, proposal: Proposal, state: str, by: str, *, place: Place = NOWHERE, reason: str | None = None
) -> Proposal:
    """Close it, once, and tell everyone who was told of it."""
    closed = decisions.require_first(
        store.decide(moment.session, proposal.id, state=state, by=by, now=moment.now, reason=reason)
    )
    runs.forget_steps(moment.session, proposal.id)
    notices.tell_of_decision(moment, closed)
    notices.renew_pack(moment, closed)
    note(moment, closed, by, ACTION[state], place=place, state=state, digest=proposal.digest)
    return closed


ACTION = {CONFIRMED: "confirm", DECLINED: "decline", WITHDRAWN: "withdraw", LAPSED: "lapse"}


def note(
    moment: Moment, proposal: Proposal, actor: str, action: str, *, place: Place = NOWHERE, **more: object
) -> None:
    """Record what was done about a proposal."""
    audit.note(
        moment.session,
        actor,
        f"handbook.{action}",
        proposal.id,
        at=moment.now,
        after={"version": proposal.version, **more},
        handbook_version=proposal.version,
        place=place,
    )
