"""Deciding requests: votes, and one transaction for a decision with its lot and its messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from policy import exceptions, texts
from policy.reasons import FieldsRefused, Refusal
from programme import decisions
from programme.exceptions import crediting, notices
from programme.exceptions.crediting import Credit
from programme.exceptions.request import case_of, held_case, move, move_case, note, require_undecided
from programme.exceptions.steps import NO_STEP, after_credit
from store.audit import NOWHERE, POLICY, Place
from store.exceptions import votes as votes_store
from store.exceptions.requests import APPROVED, CREDITED, LAPSED, NOT_RATIFIED, RATIFIED, REJECTED
from store.exceptions.votes import StoredVote
from store.ledger import ledger

if TYPE_CHECKING:
    from datetime import date

    from policy.exceptions import Seat, Tally
    from policy.units import MicroTokens
    from programme.exceptions.request import Case
    from programme.moment import Moment
    from store.exceptions.requests import Request
    from store.people.directory import Person

NO_REASON = 'Write why in a sentence, for example "Try the smaller model first". The person who asked will read it.'


@dataclass(frozen=True, slots=True)
class Ballot:
    """What someone votes; an approval may be of less or until an earlier day, a rejection has a reason."""

    approves: bool
    amount: MicroTokens | None = None
    last_day: date | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class VoteReceipt:
    """A vote that counts; `again` when it was the same before. `seat` is the member whose vote it is."""

    request: Request
    tally: Tally
    seat: str
    again: bool


def vote(moment: Moment, voter: Person, request_id: str, ballot: Ballot, *, place: Place = NOWHERE) -> VoteReceipt:
    """Count a vote, and decide the request if it is the deciding one.

    A Refusal says why someone cannot vote: not on the board, recused, too late, decided already.
    """
    case = held_case(moment, request_id, voter.id)
    request = case.request
    require_undecided(moment, request)
    _require_sound(request, ballot, moment.today)
    if case.attendees[request.person_id].has_left:
        raise Refusal("requester_left", "The person who asked has left the company, so this lapses by itself.")
    seat = case.seat_for(voter.id)
    cast = StoredVote(
        seat.person_id, voter.id, ballot.approves, ballot.amount, ballot.last_day, ballot.reason, moment.now
    )
    decisions.require_one_vote({one.cast_by: one.seat for one in case.votes}, voter.id, cast.seat)
    before = next((one for one in case.votes if one.seat == cast.seat), None)
    if before is not None and _same(before, cast):
        return VoteReceipt(request, case.tally(moment.today), cast.seat, again=True)
    votes_store.cast(moment.session, request.id, cast)
    counted, request = _count(moment, case.with_vote(cast), request.stage, decided_by=voter.id)
    _note(moment, request, cast, before, counted, place)
    return VoteReceipt(request, counted, cast.seat, again=False)


def seat_of(moment: Moment, request: Request, person_id: str) -> Seat:
    """The seat for which someone may vote on a request now; a Refusal says why there is none."""
    return case_of(moment, request, person_id).seat_for(person_id)


def _require_sound(request: Request, ballot: Ballot, today: date) -> None:
    problems: dict[str, str] = {}
    missing = "" if ballot.approves else NO_REASON
    if found := texts.problem(ballot.reason, missing):
        problems["reason"] = found
    if ballot.amount is not None and not 0 < ballot.amount <= request.amount:
        most = f"{request.amount.decimal.normalize():,f}"
        problems["amount"] = f"Write more than 0 and at most {most}, which is what was asked for."
    if ballot.last_day is not None and not today <= ballot.last_day <= request.last_day:
        wrong = "is over" if ballot.last_day < today else "is later than what was asked for"
        problems["last_day"] = f"{ballot.last_day} {wrong}. Choose a day from today to {request.last_day}."
    if request.state == CREDITED and (ballot.amount is not None or ballot.last_day is not None):
        problems["amount"] = "It is already credited, so you can only ratify it or not."
    if problems:
        raise FieldsRefused(problems)


def _same(one: StoredVote, other: StoredVote) -> bool:
    return one._replace(cast_at=other.cast_at) == other


def _count(moment: Moment, case: Case, stage: int, *, decided_by: str) -> tuple[Tally, Request]:
    """Count the votes at a stage, and decide the request where they do."""
    counted = case.tally(moment.today, stage)
    if counted.outcome == exceptions.OPEN:
        return counted, move_and_tell(moment, case, stage=stage)
    if counted.outcome == exceptions.APPROVED:
        return counted, _approve(moment, case, stage, decided_by)
    return counted, move_and_tell(moment, case, **_decided(moment, stage, decided_by), **_against(moment, case))


def _decided(moment: Moment, stage: int, by: str) -> dict[str, object]:
    return {"stage": stage, "decided_at": moment.now, "decided_by": by}


def _against(moment: Moment, case: Case) -> dict[str, object]:
    """What becomes of a request that is turned down: a break-glass ends, and what was used of it is netted later."""
    if case.request.state != CREDITED:
        return {"state": REJECTED, **NO_STEP}
    spent = crediting.take_back(moment, case.request)
    netted = None if spent else 0
    steps = _after_credit(moment, case, case.request.granted_last_day)
    return {"state": NOT_RATIFIED, "spent": int(spent), "netted": netted, **steps}


def _after_credit(moment: Moment, case: Case, last_day: date | None) -> dict[str, object]:
    return after_credit(moment, last_day, case.attendees[case.request.person_id].time_zone)


def move_and_tell(moment: Moment, case: Case, **values: object) -> Request:
    moved = move_case(moment, case, **values)
    notices.tell_of_change(moment, moved, case.beneficiaries, case.copies)
    return moved


def _approve(moment: Moment, case: Case, stage: int, decided_by: str) -> Request:
    """Credit what all who approve agree to; a break-glass has its tokens, and keeps them."""
    request, decided = case.request, _decided(moment, stage, decided_by)
    if request.state == CREDITED:
        steps = _after_credit(moment, case, request.granted_last_day)
        return move_and_tell(moment, case, state=RATIFIED, **decided, **steps)
    able = {seat.person_id for seat in case.panel.voting(stage)}
    votes = [one for one in case.standing(moment.today) if one.seat in able]
    amount, last_day = exceptions.agreed(votes, request.amount, request.last_day)
    # The value before the accounts, as everywhere (docs/decisions/0005).
    value = crediting.value_now(moment)
    held = ledger.hold(moment.session, crediting.accounts(request.person_id))
    credit = Credit(request.id, request.person_id, amount, last_day, request.purpose, decided_by)
    entry_id = crediting.post(moment, credit, value, held)
    granted = {"entry_id": entry_id, "granted": int(amount), "granted_last_day": last_day}
    steps = _after_credit(moment, case, last_day)
    return move_and_tell(moment, case, state=APPROVED, **decided, **granted, **steps)


def lapse(moment: Moment, request: Request) -> Request:
    """Silence ends a request, and a break-glass that no one ratified."""
    case = case_of(moment, request)
    values = _against(moment, case)
    if request.state != CREDITED:
        values["state"] = LAPSED
    moved = move_and_tell(moment, case, decided_at=moment.now, decided_by=POLICY, **values)
    note(moment, moved, POLICY, "request.lapse")
    return moved


def call_in(moment: Moment, case: Case, stage: int, step: str, **steps: object) -> Request:
    """Call in those of a later stage; where the votes that are there decide at that stage, they do."""
    if case.tally(moment.today, stage).outcome != exceptions.OPEN:
        _, moved = _count(moment, case, stage, decided_by=POLICY)
    else:
        moved = move(moment, case.request, stage=stage, **steps)
        notices.call_in(moment, moved, case.panel, case.request.stage, step)
    note(moment, moved, POLICY, "request.escalate", stage=stage)
    return moved


def _note(  # noqa: PLR0917 - private, called once
    moment: Moment, request: Request, cast: StoredVote, before: StoredVote | None, counted: Tally, place: Place
) -> None:
    figures: dict[str, Any] = {"approvals": counted.approvals, "rejections": counted.rejections}
    because = [reason.code for reason in counted.because]
    earlier = None if before is None else _plain(before)
    note(
        moment,
        request,
        cast.cast_by,
        "request.vote",
        before=earlier,
        place=place,
        **_plain(cast),
        **figures,
        because=because,
    )


def _plain(cast: StoredVote) -> dict[str, Any]:
    """A vote as the audit log keeps it: which seat's, which way; never an amount."""
    return {"seat": cast.seat, "approves": cast.approves, "less": cast.amount is not None or cast.last_day is not None}
