"""Who is told what about a cash cap: rows of the outbox, owed in the transaction of what they tell of.

The rows only name the question, or the cap and its month. What they say is written when they go out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policy.exceptions import CHAIR_AND_FINANCE, MEMBER
from policy.hours import next_opening
from programme import notify
from programme.people import board, small_board
from store.outbox import messages
from store.outbox.messages import NewMessage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from policy.exceptions import Electorate, Seat
    from policy.period import Month
    from programme.moment import Moment
    from programme.notify import PersonLetter
    from views.cash import Question

CARD, FACE, SHARE, UNASKED = "cash/card", "cash/face", "cash/share", "cash/unasked"
INSTEAD = "instead"


def tell_of_share(moment: Moment, key: str, cap: str, month: Month) -> None:
    """How much of a month's cash is used: to the board's channel, or to each member."""
    view = json.dumps({"cap": cap, "month": str(month)})
    if moment.governance_channel is not None:
        due_at = next_opening(moment.now, moment.zone, moment.handbook.messages)
        messages.owe(
            moment.session, [NewMessage(key, SHARE, view, None, moment.governance_channel, due_at)], now=moment.now
        )
        return
    members = [seat.person_id for seat in board.seats(moment) if seat.kind == MEMBER]
    letters = [(f"{key}:{reader}", SHARE, view, reader) for reader in members]
    notify.to_people(moment, letters, book=moment.handbook, earliest=moment.now)


def tell_unasked(moment: Moment, key: str, cap: str, month: Month) -> None:
    """The board is too small to be asked."""
    small_board.tell(moment, key, UNASKED, {"cap": cap, "month": str(month)})


def tell_of_new(moment: Moment, question: Question, panel: Electorate) -> None:
    """The card for the board: in its channel, and to each who is called and need not be there."""
    called = panel.voting(question.stage)
    owed: list[NewMessage] = []
    if (channel := moment.governance_channel) is not None:
        owed.append(NewMessage(f"cash:{question.id}", CARD, _view(question), None, channel, moment.now, at_once=True))
        away = board.delegates(moment)
        called = tuple(seat for seat in called if seat.kind != MEMBER or seat.person_id in away)
    owed += [NewMessage(*card, None, moment.now, at_once=True) for card in _cards(moment, question, called, "new")]
    _owe(moment, question, owed)


def tell_of_change(moment: Moment, question: Question) -> None:
    """A new face of every copy of the card."""
    _owe(moment, question, notify.new_faces(moment, question.id, {CARD: FACE}, occasion=question.revision))


def remind(
    moment: Moment, question: Question, silent: Iterable[Seat], step: str, *, but: Collection[str | None] = ()
) -> None:
    """A card of their own to everyone who may vote and has not, but for some readers."""
    cards = [card for card in _cards(moment, question, silent, step) if card[-1] not in but]
    _owe(moment, question, _in_hours(moment, cards))


def pass_on(moment: Moment, question: Question, reader: str, occasion: str) -> None:
    """A card for someone who votes on it from now on, unless they have one; every copy names them as the one asked."""
    faces = notify.new_faces(moment, question.id, {CARD: FACE}, occasion=occasion)
    has_one = {copy.person_id for copy in messages.arrivals(moment.session, question.id, CARD)}
    view = _view(question, reader=reader, step=occasion)
    card = (f"cash:{question.id}:{occasion}:{reader}", CARD, view, reader)
    _owe(moment, question, [*faces, *_in_hours(moment, [] if reader in has_one else [card])])


def call_in(moment: Moment, question: Question, panel: Electorate, before: int, step: str) -> None:
    """A card to those whom a new stage calls in."""
    had = {seat.person_id for seat in panel.voting(before)}
    called = [
        seat
        for seat in panel.voting(question.stage)
        if seat.person_id not in had or (question.stage == CHAIR_AND_FINANCE and (seat.is_chair or seat.is_finance))
    ]
    faces = notify.new_faces(moment, question.id, {CARD: FACE}, occasion=question.revision)
    _owe(moment, question, [*faces, *_in_hours(moment, _cards(moment, question, called, step))])


def note_parked(moment: Moment, question: Question, silent: Iterable[Seat]) -> None:
    """Slack does not take the card in the board's channel: it goes to each who decides."""
    has_one = {copy.person_id for copy in messages.arrivals(moment.session, question.id, CARD)}
    remind(moment, question, silent, INSTEAD, but=has_one)


def _cards(moment: Moment, question: Question, seats: Iterable[Seat], step: str) -> list[PersonLetter]:
    """A card for each of some seats, or for whoever stands in there."""
    if not (chosen := list(seats)):
        return []
    stand_ins = board.delegates(moment)
    readers = dict.fromkeys(stand_ins.get(seat.person_id, seat.person_id) for seat in chosen)
    view = {reader: _view(question, reader=reader, step=step) for reader in readers}
    return [(f"cash:{question.id}:{step}:{reader}", CARD, view[reader], reader) for reader in readers]


def _view(question: Question, **more: str) -> str:
    return json.dumps({"question_id": question.id, **more})


def _in_hours(moment: Moment, letters: Sequence[PersonLetter]) -> list[NewMessage]:
    if not letters:
        return []
    return notify.in_hours(moment, letters, book=moment.handbook, earliest=moment.now)


def _owe(moment: Moment, question: Question, owed: Iterable[NewMessage]) -> None:
    messages.owe(moment.session, [letter._replace(about=question.id) for letter in owed], now=moment.now)
