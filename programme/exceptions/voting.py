"""Deciding requests: votes, questions, and one transaction for a decision with its lot and its messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from policy import exceptions, texts
from policy.hours import last_opening
from policy.period import first_instant
from policy.reasons import FieldsRefused, Refusal
from programme.exceptions import asking
from programme.exceptions import notices as exceptions_notices
from programme.exceptions.asking import SAID, concerned_by, locked, move
from programme.people import board
from store import audit
from store.audit import NOWHERE, POLICY, Place
from store.exceptions import requests as store
from store.exceptions.requests import APPROVED, CREDITED, LAPSED, NOT_RATIFIED, RATIFIED, REJECTED, Cast
from store.ledger import ledger
from store.people import board as board_store
from store.people import directory as people_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from policy.exceptions import Electorate, Tally
    from policy.handbook import Handbook
    from policy.units import MicroTokens
    from programme.moment import Moment
    from store.exceptions.requests import Question, Request
    from store.people.directory import Person


@dataclass(frozen=True, slots=True)
class Ballot:
    """What someone votes; an approval may be of less or until an earlier day, a rejection has a reason."""

    approves: bool
    amount: MicroTokens | None = None
    last_day: date | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Voted:
    """A vote that counts; `again` when it was the same before. `seat` is the member whose vote it is."""

    request: Request
    tally: Tally
    seat: str
    again: bool


def vote(moment: Moment, voter: Person, request_id: str, ballot: Ballot, *, place: Place = NOWHERE) -> Voted:
    """Count a vote, and decide the request if it is the deciding one.

    A Refusal says why someone cannot vote: not on the board, recused, too late, decided already.
    """
    request = locked(moment, request_id)
    require_undecided(moment, request)
    _require_sound(request, ballot, moment.today)
    _require_employed(moment, request)
    panel = store.panel(moment.session, request)
    before = {one.seat: one for one in store.votes(moment.session, request.id)}
    seat = seat_of(moment, request, voter.id, panel=panel, votes=before.values())
    cast = Cast(seat.person_id, voter.id, ballot.approves, ballot.amount, ballot.last_day, ballot.reason, moment.now)
    if any(one.cast_by == voter.id and one.seat != cast.seat for one in before.values()):
        raise Refusal("voted_already", "You have already voted on this, and no one has two votes.")
    if cast.seat in before and _same(before[cast.seat], cast):
        votes = _standing(before.values(), moment.today)
        return Voted(request, exceptions.tally(panel, request.stage, votes), cast.seat, again=True)
    store.cast(moment.session, request.id, cast)
    counted, request = _count(moment, request, panel, decided_by=voter.id)
    audit.append(moment.session, _record(request, voter.id, cast, before.get(cast.seat), counted, moment.now, place))
    return Voted(request, counted, cast.seat, again=False)


def seat_of(
    moment: Moment,
    request: Request,
    person_id: str,
    *,
    panel: Electorate | None = None,
    votes: Iterable[Cast] | None = None,
) -> exceptions.Seat:
    """The seat for which someone may vote on a request now; a Refusal says why there is none."""
    panel = panel or store.panel(moment.session, request)
    voted = store.votes(moment.session, request.id) if votes is None else votes
    sitting = [seat.person_id for seat in panel.seats]
    today = exceptions.Attendance(
        delegates=board.delegates(moment),
        left=board_store.left(moment.session, [person_id, *sitting], moment.today),
        bystanders=board_store.bystanders(moment.session),
        voted_for={one.cast_by: one.seat for one in voted},
    )
    return exceptions.seat_for(panel, request.stage, person_id, concerned_by(moment, request), today)


def _require_employed(moment: Moment, request: Request) -> None:
    """Nothing is granted to someone who has left."""
    if board_store.left(moment.session, [request.person_id], moment.today):
        raise Refusal("requester_left", "The person who asked has left the company, so this lapses by itself.")


def require_undecided(moment: Moment, request: Request) -> None:
    """A Refusal that says what became of a request, where there is nothing left to decide."""
    if not request.is_undecided:
        by = people_store.by_id(moment.session, request.decided_by or "")
        who = f" by {by.name}" if by and request.state not in {store.LAPSED, store.NOT_RATIFIED} else ""
        raise Refusal("decided", f"This request {SAID[request.state]}{who}, so your click changed nothing.")
    if moment.now >= request.lapse_at:
        raise Refusal("too_late", "The time for this request is over. It lapses, so your click changed nothing.")


def _require_sound(request: Request, ballot: Ballot, today: date) -> None:
    problems: dict[str, str] = {}
    missing = "" if ballot.approves else "Say why. The person who asked will read it."
    if found := texts.problem(ballot.reason, missing):
        problems["reason"] = found
    if ballot.amount is not None and not 0 < ballot.amount <= request.amount:
        problems["amount"] = f"{ballot.amount.decimal:f}: choose more than 0, and at most {request.amount.decimal:f}."
    if ballot.last_day is not None and not today <= ballot.last_day <= request.last_day:
        problems["last_day"] = f"{ballot.last_day}: choose a day from today to {request.last_day}."
    if request.state == CREDITED and (ballot.amount is not None or ballot.last_day is not None):
        problems["amount"] = "It is already credited, so you can only ratify it or not."
    if problems:
        raise FieldsRefused(problems)


def _same(one: Cast, other: Cast) -> bool:
    return one._replace(cast_at=other.cast_at) == other


def _standing(votes: Iterable[Cast], today: date) -> list[exceptions.Vote]:
    """The votes that still mean something: an approval until a day that is over does not."""
    return [one.vote for one in votes if one.last_day is None or one.last_day >= today]


def _count(
    moment: Moment, request: Request, panel: Electorate, *, decided_by: str, stage: int | None = None
) -> tuple[Tally, Request]:
    """Count the votes at the request's stage, or at a new one, and decide it where they do."""
    stage = request.stage if stage is None else stage
    votes = _standing(store.votes(moment.session, request.id), moment.today)
    counted = exceptions.tally(panel, stage, votes)
    if counted.outcome == exceptions.OPEN:
        return counted, move_and_tell(moment, request, stage=stage)
    if counted.outcome == exceptions.APPROVED:
        able = {seat.person_id for seat in panel.voting(stage)}
        return counted, _approve(moment, request, [v for v in votes if v.seat in able], decided_by, stage)
    decided: dict[str, object] = {"stage": stage, "decided_at": moment.now, "decided_by": decided_by}
    return counted, move_and_tell(moment, request, **decided, **_against(moment, request))


def _against(moment: Moment, request: Request) -> dict[str, object]:
    """What becomes of a request that is turned down: a break-glass keeps its tokens until they are netted."""
    if request.state != CREDITED:
        return {"state": REJECTED, **_NO_STEP}
    return {"state": NOT_RATIFIED, **_after_credit(moment, request)}


_NO_STEP: dict[str, object] = {"next_step": None, "next_at": None}


def move_and_tell(moment: Moment, request: Request, **values: object) -> Request:
    moved = move(moment, request, **values)
    exceptions_notices.tell_of_change(moment, moved)
    return moved


def _approve(
    moment: Moment, request: Request, votes: Sequence[exceptions.Vote], decided_by: str, stage: int
) -> Request:
    """Credit what all who approve agree to; a break-glass has its tokens, and keeps them."""
    decided: dict[str, object] = {"stage": stage, "decided_at": moment.now, "decided_by": decided_by}
    if request.state == CREDITED:
        steps = _after_credit(moment, request)
        return move_and_tell(moment, request, state=RATIFIED, **decided, **steps)
    amount, last_day = exceptions.agreed(votes, request.amount, request.last_day)
    # The value before the accounts, as everywhere (docs/decisions/0005).
    value = asking.value_now(moment)
    account_of = ledger.open_accounts(
        moment.session, [ledger.TREASURY, ledger.POOL, ledger.wallet_code(request.person_id)]
    )
    ledger.lock(moment.session, account_of.values())
    draft = asking.crediting(
        moment, request.id, request.person_id, amount, last_day, request.purpose, account_of, value, actor=decided_by
    )
    [entry_id] = ledger.post(moment.session, [draft], now=moment.now)
    decided |= {"entry_id": entry_id, "granted": int(amount), "granted_last_day": last_day}
    steps = _after_credit(moment, request, last_day=last_day)
    return move_and_tell(moment, request, state=APPROVED, **decided, **steps)


# --- What the calendar does afterwards -----------------------------------------------------------------------------


def _after_credit(moment: Moment, request: Request, *, last_day: date | None = None) -> dict[str, object]:
    """The first of the steps of a credited request that is still to come."""
    last_day = last_day or request.granted_last_day
    assert last_day is not None  # noqa: S101 - it is credited
    book = moment.handbook
    zone = zone_of(moment, request.person_id)
    for step, at in steps_after(last_day, book, zone, moment.zone):
        if at > moment.now:
            return {"next_step": step, "next_at": at}
    return _NO_STEP


def zone_of(moment: Moment, person_id: str) -> ZoneInfo:
    person = people_store.by_id(moment.session, person_id)
    assert person is not None  # noqa: S101 - a foreign key
    return people_store.zone_of(person)


def steps_after(
    last_day: date, book: Handbook, reader_zone: ZoneInfo, programme_zone: ZoneInfo
) -> list[tuple[str, datetime]]:
    """Notices before an exception ends, each when working hours last began before its instant; a question later."""
    end = first_instant(last_day + timedelta(days=1), programme_zone)
    notices = {
        last_opening(end - timedelta(days=days), reader_zone, book.messages): f"notice:{days}"
        for days in book.exceptions.notice_days
    }
    asked_at = end + timedelta(days=book.exceptions.outcome_days)
    return [*((step, at) for at, step in sorted(notices.items())), ("outcome", asked_at)]


def lapse(moment: Moment, request: Request) -> Request:
    """Silence ends a request; a break-glass that no one ratified is to be netted."""
    values = _against(moment, request)
    if request.state != CREDITED:
        values["state"] = LAPSED
    moved = move_and_tell(moment, request, decided_at=moment.now, decided_by=POLICY, **values)
    audit.append(moment.session, _state_record(moved, POLICY, "request.lapse", moment.now))
    return moved


def call_in(moment: Moment, request: Request, stage: int, step: str, **steps: object) -> Request:
    """Call in those of a later stage; where the votes that are there decide at that stage, they do."""
    panel = store.panel(moment.session, request)
    votes = _standing(store.votes(moment.session, request.id), moment.today)
    if exceptions.tally(panel, stage, votes).outcome != exceptions.OPEN:
        _, moved = _count(moment, request, panel, decided_by=POLICY, stage=stage)
    else:
        before = request.stage
        moved = move(moment, request, stage=stage, **steps)
        exceptions_notices.call_in(moment, moved, panel, before, step)
    audit.append(moment.session, _state_record(moved, POLICY, "request.escalate", moment.now, stage=stage))
    return moved


def _state_record(request: Request, actor: str, action: str, now: datetime, **more: object) -> audit.Record:
    return audit.Record(
        at=now,
        actor=actor,
        action=action,
        subject=request.id,
        after={"state": request.state, **more},
        handbook_version=request.handbook_version,
    )


def _record(  # noqa: PLR0917 - private, called once
    request: Request, actor: str, cast: Cast, before: Cast | None, counted: Tally, now: datetime, place: Place
) -> audit.Record:
    after = {
        **_plain(cast),
        "state": request.state,
        "approvals": counted.approvals,
        "rejections": counted.rejections,
        "because": [reason.code for reason in counted.because],
    }
    return audit.Record(
        at=now,
        actor=actor,
        action="request.vote",
        subject=request.id,
        before=_plain(before) if before else None,
        after=after,
        handbook_version=request.handbook_version,
        slack_channel=place.channel,
        slack_ts=place.ts,
    )


def _plain(cast: Cast) -> dict[str, Any]:
    """A vote as the audit log keeps it: which seat's, which way; never an amount."""
    return {"seat": cast.seat, "approves": cast.approves, "less": cast.amount is not None or cast.last_day is not None}


# --- Questions -----------------------------------------------------------------------------------------------------


def ask(moment: Moment, asker: Person, request_id: str, text: str, *, key: str) -> Question:
    """Put a question of someone who may vote to the requester; the same form sent again is the same question."""
    request = locked(moment, request_id)
    if (before := store.question_by_key(moment.session, key)) is not None:
        return before
    require_undecided(moment, request)
    texts.require("question", text, "Write a sentence.")
    seat_of(moment, request, asker.id)
    number = store.ask(
        moment.session, key=key, request_id=request.id, asked_by=asker.id, question=text.strip(), now=moment.now
    )
    moved = move(moment, request)
    question = store.question(moment.session, number)
    assert question is not None  # noqa: S101 - we have just kept it
    exceptions_notices.ask(moment, moved, question)
    audit.append(moment.session, _state_record(moved, asker.id, "request.ask", moment.now, question=number))
    return question


def answer(moment: Moment, person: Person, number: int, text: str) -> Question:
    """The requester's answer, back to the board; a Refusal when it is not theirs to give, or was given."""
    question = store.question(moment.session, number)
    if question is None:
        raise Refusal("unknown_question", f"There is no question {number}.")
    request = locked(moment, question.request_id)
    if request.person_id != person.id:
        raise Refusal("not_yours", "Only the person who asked for the tokens can answer this.")
    texts.require("answer", text, "Write a sentence.")
    require_undecided(moment, request)
    if not store.answer(moment.session, number, text.strip(), now=moment.now):
        raise Refusal("answered", "You have already answered this.", next_step="The board has your answer.")
    answered = store.question(moment.session, number)
    assert answered is not None  # noqa: S101 - we have just answered it
    moved = move(moment, request)
    exceptions_notices.answer(moment, moved, answered)
    audit.append(moment.session, _state_record(moved, person.id, "request.answer", moment.now, question=number))
    return answered


OUTCOMES = {"delivered": "It achieved its purpose", "partly": "It achieved part of it", "nothing": "Nothing came of it"}


def tell_outcome(moment: Moment, person: Person, request_id: str, outcome: str, note: str) -> Request:
    """What the requester says came of an exception, kept for the quarterly review; they may say it anew."""
    request = locked(moment, request_id)
    if request.person_id != person.id:
        raise Refusal("not_yours", "Only the person who asked can say what came of it.")
    if request.granted is None or outcome not in OUTCOMES:
        raise Refusal("no_outcome", f"outcome = {outcome!r}: either nothing was granted, or there is no such answer.")
    if note.strip():
        texts.require("note", note, "Write a sentence.")
    moved = move(moment, request, outcome=outcome, outcome_note=note.strip() or None)
    exceptions_notices.tell_of_outcome(moment, moved)
    audit.append(moment.session, _state_record(moved, person.id, "request.outcome", moment.now, outcome=outcome))
    return moved
