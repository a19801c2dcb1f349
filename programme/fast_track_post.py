"""Who is told what about a request, and when: rows of the outbox, owed in the transaction of what they tell of.

The rows only name the request. What they say is written when they go out, from what holds then (docs/decisions/0012).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policy.period import day_of
from policy.quorum import CHAIR_AND_FINANCE, MEMBER
from programme import board, handbooks, post
from store import outbox
from store import requests as store
from store.outbox import NewLetter
from store.requests import APPROVED, WITHDRAWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from policy.quorum import Electorate, Seat
    from programme.desk import Desk
    from programme.post import PersonLetter
    from store.engine import Session
    from store.requests import Question, Request

CARD, FACE, MINE, NOTE, QUESTION, MORE_TIME, OUTCOME = (
    "fast_track/card", "fast_track/face", "fast_track/mine", "fast_track/note", "fast_track/question",
    "fast_track/more_time", "fast_track/outcome",
)  # fmt: skip
BOARD = "board"
POLICY = "policy"
"""Decides by time, where no person did."""


def card_key(request_id: str) -> str:
    """The key of the copy of a request's card in the board's channel; copies for people have longer ones."""
    return f"card:{request_id}:{BOARD}"


def mine_key(request_id: str) -> str:
    return f"mine:{request_id}"


def _view(request: Request, **more: object) -> str:
    return json.dumps({"request_id": request.id, **more})


def _at_once(letter: PersonLetter, now: datetime) -> NewLetter:
    return NewLetter(*letter, None, now, at_once=True)


def tell_of_new(session: Session, request: Request, panel: Electorate, *, desk: Desk, now: datetime) -> None:
    """The card for the board, the requester's own, and a word to those who were named as beneficiaries."""
    owed = [_at_once((mine_key(request.id), MINE, _view(request), request.person_id), now)]
    called = panel.voting(request.stage)
    if desk.governance_channel is not None:
        channel = desk.governance_channel
        owed.append(NewLetter(card_key(request.id), CARD, _view(request), None, channel, now, at_once=True))
        # Who need not be in the board's channel gets a card of their own.
        called = tuple(seat for seat in called if seat.kind != MEMBER)
    owed += [_at_once(card, now) for card in _cards(session, request, called, "new", desk=desk, now=now)]
    outbox.owe(session, owed, now=now)
    if request.is_credited_first:
        _later(session, _notes(request, store.beneficiaries(session, request.id)), desk=desk, now=now)


def tell_of_change(session: Session, request: Request, *, desk: Desk, now: datetime) -> None:
    """New faces for every copy of the card; once it is decided, a word to the requester and the beneficiaries."""
    outbox.owe(session, _faces(session, request, now), now=now)
    if request.is_undecided or request.state == WITHDRAWN:
        return
    to_requester = _notes(request, [request.person_id])
    if request.decided_by == POLICY:
        # Nobody did this just now, so nobody waits for it at night.
        _later(session, to_requester, desk=desk, now=now)
        return
    outbox.owe(session, [_at_once(note, now) for note in to_requester], now=now)
    if request.state == APPROVED:
        _later(session, _notes(request, store.beneficiaries(session, request.id)), desk=desk, now=now)


def renew(session: Session, request: Request, *, now: datetime) -> None:
    """New faces for every copy of a card, and nothing else."""
    outbox.owe(session, _faces(session, request, now), now=now)


def _later(session: Session, owed: Sequence[PersonLetter], *, desk: Desk, now: datetime) -> None:
    """Owe messages in their readers' own working hours."""
    book = handbooks.load(session).on(day_of(now, desk.zone))
    post.to_people(session, owed, book=book, earliest=now, now=now)


def _faces(session: Session, request: Request, now: datetime) -> list[NewLetter]:
    copies = outbox.copies(session, f"card:{request.id}:") + outbox.copies(session, mine_key(request.id))
    return [
        NewLetter(
            f"{key}@{request.revision}", MINE if key.startswith("mine:") else FACE, _view(request), person_id, channel,
            now, at_once=True, replaces=key,
        )
        for key, person_id, channel in copies
    ]  # fmt: skip


def _notes(request: Request, readers: Iterable[str]) -> list[PersonLetter]:
    return [
        (f"note:{request.id}:{request.state}:{reader}", NOTE, _view(request, reader=reader, stage=None), reader)
        for reader in sorted(readers)
    ]


def _cards(
    session: Session, request: Request, seats: Iterable[Seat], step: str, *, desk: Desk, now: datetime
) -> list[PersonLetter]:
    """A card for each of some seats, or for whoever stands in there."""
    stand_ins = board.delegates(session, desk=desk, now=now)
    readers = dict.fromkeys(stand_ins.get(seat.person_id, seat.person_id) for seat in seats)
    return [(f"card:{request.id}:{step}:{reader}", CARD, _view(request, reader=reader), reader) for reader in readers]


def remind(session: Session, request: Request, panel: Electorate, step: str, *, desk: Desk, now: datetime) -> None:
    """A card of their own to everybody who may vote and has not."""
    voted = {vote.seat for vote in store.votes(session, request.id)}
    silent = [seat for seat in panel.voting(request.stage) if seat.person_id not in voted]
    _later(session, _cards(session, request, silent, step, desk=desk, now=now), desk=desk, now=now)


def call_in(
    session: Session, request: Request, panel: Electorate, before: int, step: str, *, desk: Desk, now: datetime
) -> None:
    """A card to those whom a new stage calls in, and a word to the requester."""
    had = {seat.person_id for seat in panel.voting(before)}
    called = [
        seat
        for seat in panel.voting(request.stage)
        if seat.person_id not in had or (request.stage == CHAIR_AND_FINANCE and (seat.is_chair or seat.is_finance))
    ]
    outbox.owe(session, _faces(session, request, now), now=now)
    told = _view(request, reader=request.person_id, stage=request.stage)
    note = (f"note:{request.id}:stage_{request.stage}", NOTE, told, request.person_id)
    _later(session, [*_cards(session, request, called, step, desk=desk, now=now), note], desk=desk, now=now)


def ask(session: Session, request: Request, question: Question, *, desk: Desk, now: datetime) -> None:
    """The question to the requester, and into the card's thread."""
    to_requester = (f"question:{question.id}", QUESTION, _of_question(request, question), request.person_id)
    owed = [*_faces(session, request, now), _at_once(to_requester, now)]
    owed += _in_thread(f"thread:question:{question.id}", request, question, desk, now)
    outbox.owe(session, owed, now=now)


def answer(session: Session, request: Request, question: Question, *, desk: Desk, now: datetime) -> None:
    """The answer into the card's thread, and to whoever asked; the question's own message shows it too."""
    key, view = f"question:{question.id}", _of_question(request, question)
    answered = NewLetter(
        f"{key}@answered", QUESTION, view, request.person_id, None, now, at_once=True, replaces=key
    )  # fmt: skip
    to_asker = (f"answer:{question.id}", QUESTION, _of_question(request, question, reader="asker"), question.asked_by)
    owed = [*_faces(session, request, now), answered, _at_once(to_asker, now)]
    owed += _in_thread(f"thread:answer:{question.id}", request, question, desk, now)
    outbox.owe(session, owed, now=now)


def _of_question(request: Request, question: Question, *, reader: str = "requester") -> str:
    return _view(request, question_id=question.id, reader=reader)


def _in_thread(
    key: str, request: Request, question: Question, desk: Desk, now: datetime
) -> list[NewLetter]:  # fmt: skip
    if desk.governance_channel is None:
        return []
    reader = "thread_answer" if question.answer else "thread_question"
    view = _of_question(request, question, reader=reader)
    channel, thread = desk.governance_channel, card_key(request.id)
    return [NewLetter(key, QUESTION, view, None, channel, now, at_once=True, thread=thread)]


def notice(session: Session, request: Request, days: int, *, desk: Desk, now: datetime) -> None:
    """What is left of an exception shortly before it ends."""
    view = _view(request, days=days)
    owed = (f"more_time:{request.id}:{days}", MORE_TIME, view, request.person_id)
    _later(session, [owed], desk=desk, now=now)


def ask_outcome(session: Session, request: Request, *, desk: Desk, now: datetime) -> None:
    """Ask the requester, once, what came of it."""
    owed = (f"outcome:{request.id}", OUTCOME, _view(request), request.person_id)
    _later(session, [owed], desk=desk, now=now)


def tell_of_outcome(session: Session, request: Request, *, now: datetime) -> None:
    """The question shows the answer."""
    key = f"outcome:{request.id}"
    if outbox.place_of(session, key) is not None:
        answered = NewLetter(
            f"{key}@{request.revision}", OUTCOME, _view(request), request.person_id, None, now, at_once=True,
            replaces=key,
        )  # fmt: skip
        outbox.owe(session, [answered], now=now)
