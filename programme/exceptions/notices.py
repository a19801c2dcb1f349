"""Who is told what about a request, and when: rows of the outbox, owed in the transaction of what they tell of.

The rows only name the request. What they say is written when they go out, from what holds then (docs/decisions/0012).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policy.exceptions import CHAIR_AND_FINANCE, MEMBER
from policy.period import day_of
from programme import handbooks, notify
from programme.people import board
from store.audit import POLICY
from store.exceptions import requests as store
from store.exceptions.requests import APPROVED, WITHDRAWN
from store.outbox import messages
from store.outbox.messages import NewLetter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from policy.exceptions import Electorate, Seat
    from programme.app import Desk
    from programme.notify import PersonLetter
    from store.engine import Session
    from store.exceptions.requests import Question, Request

CARD, FACE, MINE, NOTE, QUESTION, MORE_TIME, OUTCOME = (
    "fast_track/card", "fast_track/face", "fast_track/mine", "fast_track/note", "fast_track/question",
    "fast_track/more_time", "fast_track/outcome",
)  # fmt: skip
BOARD = "board"


def card_key(request_id: str) -> str:
    """The key of the copy of a request's card in the board's channel; copies for people have longer ones."""
    return f"card:{request_id}:{BOARD}"


def mine_key(request_id: str) -> str:
    return f"mine:{request_id}"


def _view(request: Request, **more: object) -> str:
    return json.dumps({"request_id": request.id, **more})


def _at_once(letter: PersonLetter, now: datetime) -> NewLetter:
    return NewLetter(*letter, None, now, at_once=True)


def _later(session: Session, letters: Sequence[PersonLetter], *, desk: Desk, now: datetime) -> list[NewLetter]:
    """Messages for their readers' own working hours."""
    if not letters:
        return []
    book = handbooks.load(session).on(day_of(now, desk.zone))
    return notify.in_hours(session, letters, book=book, earliest=now)


def _owe(session: Session, request: Request, letters: Iterable[NewLetter], *, now: datetime) -> None:
    messages.owe(session, [letter._replace(about=request.id) for letter in letters], now=now)


def tell_of_new(session: Session, request: Request, panel: Electorate, *, desk: Desk, now: datetime) -> None:
    """The card for the board, the requester's own, and a word to those who were named as beneficiaries."""
    owed = [_at_once((mine_key(request.id), MINE, _view(request), request.person_id), now)]
    called = panel.voting(request.stage)
    if desk.governance_channel is not None:
        channel = desk.governance_channel
        owed.append(NewLetter(card_key(request.id), CARD, _view(request), None, channel, now, at_once=True))
        # Who need not be in the board's channel gets a card of their own.
        away = board.delegates(session, desk=desk, now=now)
        called = tuple(seat for seat in called if seat.kind != MEMBER or seat.person_id in away)
    owed += [_at_once(card, now) for card in _cards(session, request, called, "new", desk=desk, now=now)]
    if request.is_credited_first:
        owed += _later(session, _notes(request, store.beneficiaries(session, request.id)), desk=desk, now=now)
    _owe(session, request, owed, now=now)


def tell_of_change(session: Session, request: Request, *, desk: Desk, now: datetime) -> None:
    """New faces for every copy of the card; once it is decided, a word to the requester and the beneficiaries."""
    # Nothing can be answered once it is decided.
    owed = _faces(session, request, now, templates=(CARD, MINE) if request.is_undecided else (CARD, MINE, QUESTION))
    if not request.is_undecided and request.state != WITHDRAWN:
        to_requester = _notes(request, [request.person_id])
        if request.decided_by == POLICY:
            # No one did this just now, so no one waits for it at night.
            owed += _later(session, to_requester, desk=desk, now=now)
        else:
            owed += [_at_once(note, now) for note in to_requester]
    if request.state == APPROVED:
        owed += _later(session, _notes(request, store.beneficiaries(session, request.id)), desk=desk, now=now)
    _owe(session, request, owed, now=now)


def renew(session: Session, request: Request, *, now: datetime) -> None:
    """New faces for every copy of a card, and nothing else."""
    _owe(session, request, _faces(session, request, now), now=now)


def _faces(
    session: Session, request: Request, now: datetime, *, templates: tuple[str, ...] = (CARD, MINE)
) -> list[NewLetter]:
    return [
        NewLetter(
            f"{copy.key}@{request.revision}", FACE if copy.template == CARD else copy.template, json.dumps(copy.view),
            copy.person_id, copy.channel, now, at_once=True, replaces=copy.key,
        )
        for copy in messages.copies(session, request.id, templates)
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
    if not (chosen := list(seats)):
        return []
    stand_ins = board.delegates(session, desk=desk, now=now)
    readers = dict.fromkeys(stand_ins.get(seat.person_id, seat.person_id) for seat in chosen)
    return [(f"card:{request.id}:{step}:{reader}", CARD, _view(request, reader=reader), reader) for reader in readers]


def remind(session: Session, request: Request, panel: Electorate, step: str, *, desk: Desk, now: datetime) -> None:
    """A card of their own to everyone who may vote and has not."""
    voted = {vote.seat for vote in store.votes(session, request.id)}
    silent = [seat for seat in panel.voting(request.stage) if seat.person_id not in voted]
    cards = _cards(session, request, silent, step, desk=desk, now=now)
    _owe(session, request, _in_time(session, request, cards, desk=desk, now=now), now=now)


def _in_time(
    session: Session, request: Request, letters: Sequence[PersonLetter], *, desk: Desk, now: datetime
) -> list[NewLetter]:
    """Messages for working hours; of an incident at any hour, since its time runs at any hour."""
    if request.is_credited_first:
        return [_at_once(letter, now) for letter in letters]
    return _later(session, letters, desk=desk, now=now)


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
    told = _view(request, reader=request.person_id, stage=request.stage)
    note = (f"note:{request.id}:stage_{request.stage}", NOTE, told, request.person_id)
    letters = [*_cards(session, request, called, step, desk=desk, now=now), note]
    owed = _faces(session, request, now) + _in_time(session, request, letters, desk=desk, now=now)
    _owe(session, request, owed, now=now)


def ask(session: Session, request: Request, question: Question, *, now: datetime) -> None:
    """The question to the requester, and into the card's thread."""
    to_requester = (f"question:{question.id}", QUESTION, _of_question(request, question), request.person_id)
    owed = [*_faces(session, request, now), _at_once(to_requester, now)]
    owed += _in_thread(session, f"thread:question:{question.id}", request, question, now)
    _owe(session, request, owed, now=now)


def answer(session: Session, request: Request, question: Question, *, now: datetime) -> None:
    """The answer into the card's thread, and to whoever asked; the question's own message shows it too."""
    key, view = f"question:{question.id}", _of_question(request, question)
    answered = NewLetter(f"{key}@answered", QUESTION, view, request.person_id, None, now, at_once=True, replaces=key)
    to_asker = (f"answer:{question.id}", QUESTION, _of_question(request, question, reader="asker"), question.asked_by)
    owed = [*_faces(session, request, now), answered, _at_once(to_asker, now)]
    owed += _in_thread(session, f"thread:answer:{question.id}", request, question, now)
    _owe(session, request, owed, now=now)


def _of_question(request: Request, question: Question, *, reader: str = "requester") -> str:
    return _view(request, question_id=question.id, reader=reader)


def _in_thread(
    session: Session, key: str, request: Request, question: Question, now: datetime
) -> list[NewLetter]:  # fmt: skip
    """A reply below the card, where there is one in a channel: which channel it is may have changed since."""
    reader = "thread_answer" if question.answer else "thread_question"
    view = _of_question(request, question, reader=reader)
    return [
        NewLetter(key, QUESTION, view, None, copy.channel, now, at_once=True, thread=copy.key)
        for copy in messages.copies(session, request.id, (CARD,))
        if copy.channel is not None
    ]


def notice(session: Session, request: Request, days: int, *, desk: Desk, now: datetime) -> None:
    """What is left of an exception shortly before it ends."""
    letter = (f"more_time:{request.id}:{days}", MORE_TIME, _view(request, days=days), request.person_id)
    _owe(session, request, _later(session, [letter], desk=desk, now=now), now=now)


def ask_outcome(session: Session, request: Request, *, desk: Desk, now: datetime) -> None:
    """Ask the requester, once, what came of it."""
    letter = (f"outcome:{request.id}", OUTCOME, _view(request), request.person_id)
    _owe(session, request, _later(session, [letter], desk=desk, now=now), now=now)


def tell_of_outcome(session: Session, request: Request, *, now: datetime) -> None:
    """The question shows the answer."""
    answered = [
        NewLetter(
            f"{copy.key}@{request.revision}", OUTCOME, _view(request), copy.person_id, None, now, at_once=True,
            replaces=copy.key,
        )
        for copy in messages.copies(session, request.id, (OUTCOME,))
    ]  # fmt: skip
    _owe(session, request, answered, now=now)
