"""Votes on a gate, what they come to, and the months in which the roll-out stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import exceptions, gates, texts
from policy.gates import EXTEND, GO_ON, STOP
from policy.reasons import Refusal
from policy.reviews import votes as reviews_votes
from programme import decisions
from programme.decisions import Topic
from programme.gates import notices
from programme.people import board
from store import audit, locks
from store.audit import NOWHERE, Place
from store.gates import records as store
from store.locks import Lock
from store.people import board as board_store
from views.gates import EXTENDED, OPEN, PASSED, STATE_OF, STOPPED, GateReceipt, GateVote

if TYPE_CHECKING:
    from policy.exceptions import Seat
    from policy.period import Month
    from programme.moment import Moment
    from store.people.directory import Person
    from views.gates import Gate

GATE = Topic(
    "gate",
    undecided=frozenset({OPEN, STOPPED}),
    said={PASSED: "was passed", EXTENDED: "was put off by a month"},
    by="with the deciding vote of",
    see="The board's channel shows where the roll-out stands.",
)


def vote(
    moment: Moment, voter: Person, gate_id: str, choice: str, reason: str | None = None, *, place: Place = NOWHERE
) -> GateReceipt:
    """Count a vote, and do what it decides; a Refusal says why someone cannot vote, or what became of the gate."""
    locks.hold(moment.session, Lock.HANDBOOKS)
    gate = decisions.require_known(store.get(moment.session, gate_id, lock=True), GATE, gate_id)
    seat = require_vote(moment, voter, gate, choice)
    if choice != GO_ON:
        reason = texts.require("reason", reason, "Write why in a sentence. The board reads it.")
    before = {one.seat: one for one in store.votes(moment.session, gate.id)}
    decisions.require_one_vote({one.cast_by: one.seat for one in before.values()}, voter.id, seat.person_id)
    cast = GateVote(seat.person_id, voter.id, choice, reason if choice != GO_ON else None, moment.now)
    earlier = before.get(cast.seat)
    if earlier is not None and earlier._replace(cast_at=moment.now) == cast:
        return GateReceipt(gate, choice, again=True)
    store.cast(moment.session, gate.id, cast)
    after = {"seat": cast.seat, "choice": choice}
    audit.note(moment.session, voter.id, store.VOTED, gate.id, at=moment.now, after=after, place=place)
    ballots = [one.ballot for one in store.votes(moment.session, gate.id)]
    state = STATE_OF.get(gates.decided(gate.panel, ballots) or "", gate.state)
    if state == gate.state:
        moved = decisions.require_first(store.change(moment.session, gate))
        notices.tell_of_change(moment, moved)
    else:
        moved = close(moment, gate, state, voter.id)
    return GateReceipt(moved, choice, again=False)


def require_vote(moment: Moment, voter: Person, gate: Gate, choice: str) -> Seat:
    """The seat for which someone may vote; a Refusal where there is none, or nothing left to decide."""
    decisions.require_open(moment, GATE, gate.state, gate.decided_by)
    if gate.state == STOPPED and choice == STOP:
        raise Refusal("stopped_already", "The roll-out is stopped, so your click changed nothing.")
    if gate.state == STOPPED and choice == EXTEND:
        raise Refusal("stopped_already", "The roll-out is stopped. It can go on, but not be put off by a month.")
    today = exceptions.Attendance(
        delegates=board.delegates(moment),
        left=board_store.left(moment.session, [voter.id, *(one.person_id for one in gate.panel.seats)], moment.today),
        bystanders=board_store.bystanders(moment.session),
        voted_for={one.cast_by: one.seat for one in store.votes(moment.session, gate.id)},
    )
    return exceptions.seat_for(gate.panel, gate.panel.stage, voter.id, reviews_votes.NOBODY, today)


def close(moment: Moment, gate: Gate, state: str, by: str) -> Gate:
    """The gate decided, and everyone told; a phase that is put off waits a month longer."""
    moved = decisions.require_first(
        store.change(moment.session, gate, state=state, decided_at=moment.now, decided_by=by)
    )
    if state == EXTENDED:
        _pause(moment, gate.phase, gates.begins(gate.phase, moment.handbook.rollout) or gate.month)
    after: dict[str, object] = {"state": state, "month": str(gate.month)}
    audit.note(moment.session, by, store.DECIDED, gate.id, at=moment.now, after=after)
    notices.tell_of_change(moment, moved)
    notices.tell_of_outcome(moment, moved, state)
    return moved


def stand_still(moment: Moment, phase: int, month: Month, gate: Gate | None) -> None:
    """The roll-out stands still in a month that has come while the board has not let the phase begin."""
    locks.hold(moment.session, Lock.HANDBOOKS)
    if _pause(moment, phase, month) and gate is not None and gate.is_waiting:
        moved = decisions.require_first(store.change(moment.session, gate))
        notices.tell_of_change(moment, moved)
        if gate.state == OPEN:
            notices.tell_of_outcome(moment, moved, f"{notices.WAITS}:{month}")


def _pause(moment: Moment, phase: int, month: Month) -> bool:
    if not store.pause(moment.session, month, phase, now=moment.now):
        return False
    audit.note(moment.session, audit.POLICY, store.PAUSED, str(month), at=moment.now, after={"phase": phase})
    moment.forget_handbooks()
    return True
