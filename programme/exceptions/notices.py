"""Who is told what about a request, and when: rows of the outbox, owed in the transaction of what they tell of.

The rows only name the request. What they say is written when they go out, from what holds then (docs/decisions/0012).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policy.exceptions import CHAIR_AND_FINANCE, MEMBER
from programme import notify
from programme.people import board
from store.audit import POLICY
from store.exceptions.requests import APPROVED, WITHDRAWN
from store.outbox import messages
from store.outbox.messages import NewMessage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from policy.exceptions import Electorate, Seat
    from programme.moment import Moment
    from programme.notify import PersonLetter
    from store.exceptions.questions import Question
    from store.exceptions.requests import Request
    from store.outbox.messages import Copy

CARD, FACE, MINE, NOTE, QUESTION, MORE_TIME, OUTCOME = (
    "exceptions/card",
    "exceptions/face",
    "exceptions/mine",
    "exceptions/note",
    "exceptions/question",
    "exceptions/more_time",
    "exceptions/outcome",
)
BOARD = "board"


def card_key(request_id: str) -> str:
    """The key of the copy of a request's card in the board's channel; copies for people have longer ones."""
    return f"card:{request_id}:{BOARD}"


def mine_key(request_id: str) -> str:
    return f"mine:{request_id}"


def _view(request: Request, **more: object) -> str:
    return json.dumps({"request_id": request.id, **more})


def _at_once(letter: PersonLetter, now: datetime) -> NewMessage:
    return NewMessage(*letter, None, now, at_once=True)


def _later(moment: Moment, letters: Sequence[PersonLetter]) -> list[NewMessage]:
    """Messages for their readers' own working hours."""
    if not letters:
        return []
    book = moment.handbook
    return notify.in_hours(moment, letters, book=book, earliest=moment.now)


def _owe(moment: Moment, request: Request, letters: Iterable[NewMessage]) -> None:
    messages.owe(moment.session, [letter._replace(about=request.id) for letter in letters], now=moment.now)


def tell_of_new(moment: Moment, request: Request, panel: Electorate, beneficiaries: Iterable[str]) -> None:
    """The card for the board, the requester's own, and a word to those who were named as beneficiaries."""
    owed = [_at_once((mine_key(request.id), MINE, _view(request), request.person_id), moment.now)]
    called = panel.voting(request.stage)
    if moment.governance_channel is not None:
        channel = moment.governance_channel
        owed.append(NewMessage(card_key(request.id), CARD, _view(request), None, channel, moment.now, at_once=True))
        # Who need not be in the board's channel gets a card of their own.
        away = board.delegates(moment)
        called = tuple(seat for seat in called if seat.kind != MEMBER or seat.person_id in away)
    owed += [_at_once(card, moment.now) for card in _cards(moment, request, called, "new")]
    if request.is_credited_first:
        owed += _later(moment, _notes(request, beneficiaries))
    _owe(moment, request, owed)


def tell_of_change(
    moment: Moment, request: Request, beneficiaries: Iterable[str] = (), copies: Sequence[Copy] | None = None
) -> None:
    """New faces for every copy of the card; once it is decided, a word to the requester and the beneficiaries."""
    # Nothing can be answered once it is decided.
    owed = _faces(moment, request, *([] if request.is_undecided else [QUESTION]), copies=copies)
    if not request.is_undecided and request.state != WITHDRAWN:
        to_requester = _notes(request, [request.person_id])
        if request.decided_by == POLICY:
            # No one did this just now, so no one waits for it at night.
            owed += _later(moment, to_requester)
        else:
            owed += [_at_once(note, moment.now) for note in to_requester]
    if request.state == APPROVED:
        owed += _later(moment, _notes(request, beneficiaries))
    _owe(moment, request, owed)


def renew(moment: Moment, request: Request) -> None:
    """New faces for every copy of a card, and nothing else."""
    _owe(moment, request, _faces(moment, request))


def _faces(moment: Moment, request: Request, *also: str, copies: Sequence[Copy] | None = None) -> list[NewMessage]:
    """Of every copy of the card and of the requester's own, and of messages of `also` another template."""
    face_of = {CARD: FACE, MINE: MINE} | {template: template for template in also}
    return notify.new_faces(moment, request.id, face_of, occasion=request.revision, copies=copies)


def _notes(request: Request, readers: Iterable[str]) -> list[PersonLetter]:
    return [
        (f"note:{request.id}:{request.state}:{reader}", NOTE, _view(request, reader=reader, stage=None), reader)
        for reader in sorted(readers)
    ]


def _cards(moment: Moment, request: Request, seats: Iterable[Seat], step: str) -> list[PersonLetter]:
    """A card for each of some seats, or for whoever stands in there."""
    if not (chosen := list(seats)):
        return []
    stand_ins = board.delegates(moment)
    readers = dict.fromkeys(stand_ins.get(seat.person_id, seat.person_id) for seat in chosen)
    return [(f"card:{request.id}:{step}:{reader}", CARD, _view(request, reader=reader), reader) for reader in readers]


def remind(
    moment: Moment, request: Request, silent: Iterable[Seat], step: str, *, but: Collection[str | None] = ()
) -> None:
    """A card of their own to everyone who may vote and has not, but for some readers."""
    cards = [card for card in _cards(moment, request, silent, step) if card[-1] not in but]
    _owe(moment, request, _in_time(moment, request, cards))


def pass_on(moment: Moment, request: Request, reader: str, occasion: str) -> None:
    """A card for someone who votes on it from now on, unless they have one; every copy names them as the one asked."""
    faces = notify.new_faces(moment, request.id, {CARD: FACE}, occasion=occasion)
    has_one = {copy.person_id for copy in messages.arrivals(moment.session, request.id, CARD)}
    card = (f"card:{request.id}:{occasion}:{reader}", CARD, _view(request, reader=reader), reader)
    _owe(moment, request, [*faces, *_in_time(moment, request, [] if reader in has_one else [card])])


def _in_time(moment: Moment, request: Request, letters: Sequence[PersonLetter]) -> list[NewMessage]:
    """Messages for working hours; of an incident at any hour, since its time runs at any hour."""
    if request.is_credited_first:
        return [_at_once(letter, moment.now) for letter in letters]
    return _later(moment, letters)


def call_in(moment: Moment, request: Request, panel: Electorate, before: int, step: str) -> None:
    """A card to those whom a new stage calls in, and a word to the requester."""
    had = {seat.person_id for seat in panel.voting(before)}
    called = [
        seat
        for seat in panel.voting(request.stage)
        if seat.person_id not in had or (request.stage == CHAIR_AND_FINANCE and (seat.is_chair or seat.is_finance))
    ]
    told = _view(request, reader=request.person_id, stage=request.stage)
    note = (f"note:{request.id}:stage_{request.stage}", NOTE, told, request.person_id)
    letters = [*_cards(moment, request, called, step), note]
    owed = _faces(moment, request) + _in_time(moment, request, letters)
    _owe(moment, request, owed)


def ask(moment: Moment, request: Request, question: Question) -> None:
    """The question to the requester, and into the card's thread."""
    to_requester = (f"question:{question.id}", QUESTION, _of_question(request, question), request.person_id)
    owed = [*_faces(moment, request), _at_once(to_requester, moment.now)]
    owed += _in_thread(moment, f"thread:question:{question.id}", request, question)
    _owe(moment, request, owed)


def answer(moment: Moment, request: Request, question: Question) -> None:
    """The answer into the card's thread, and to whoever asked; the question's own message shows it too."""
    key, view = f"question:{question.id}", _of_question(request, question)
    answered = NewMessage(
        f"{key}@answered", QUESTION, view, request.person_id, None, moment.now, at_once=True, replaces=key
    )
    to_asker = (f"answer:{question.id}", QUESTION, _of_question(request, question, reader="asker"), question.asked_by)
    owed = [*_faces(moment, request), answered, _at_once(to_asker, moment.now)]
    owed += _in_thread(moment, f"thread:answer:{question.id}", request, question)
    _owe(moment, request, owed)


def _of_question(request: Request, question: Question, *, reader: str = "requester") -> str:
    return _view(request, question_id=question.id, reader=reader)


def _in_thread(moment: Moment, key: str, request: Request, question: Question) -> list[NewMessage]:
    """A reply below the card, where there is one in a channel: which channel it is may have changed since."""
    reader = "thread_answer" if question.answer else "thread_question"
    view = _of_question(request, question, reader=reader)
    return [
        NewMessage(key, QUESTION, view, None, copy.channel, moment.now, at_once=True, thread=copy.key)
        for copy in messages.copies(moment.session, request.id, (CARD,))
        if copy.channel is not None
    ]


def notice(moment: Moment, request: Request, days: int) -> None:
    """What is left of an exception shortly before it ends."""
    letter = (f"more_time:{request.id}:{days}", MORE_TIME, _view(request, days=days), request.person_id)
    _owe(moment, request, _later(moment, [letter]))


def ask_outcome(moment: Moment, request: Request) -> None:
    """Ask the requester, once, what came of it."""
    letter = (f"outcome:{request.id}", OUTCOME, _view(request), request.person_id)
    _owe(moment, request, _later(moment, [letter]))


def tell_of_outcome(moment: Moment, request: Request) -> None:
    """The question shows the answer."""
    answered = [
        NewMessage(
            f"{copy.key}@{request.revision}",
            OUTCOME,
            _view(request),
            copy.person_id,
            None,
            moment.now,
            at_once=True,
            replaces=copy.key,
        )
        for copy in messages.copies(moment.session, request.id, (OUTCOME,))
    ]
    _owe(moment, request, answered)
