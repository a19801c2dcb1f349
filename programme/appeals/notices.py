"""Who is told what about an appeal, and when: rows of the outbox, owed in the transaction of what they tell of.

The rows only name the appeal. What they say is written when they go out, from what holds then (docs/decisions/0012).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policy.hours import next_opening
from programme import notify
from programme.people import board
from store.appeals import records as store
from store.outbox import messages
from store.outbox.messages import NewMessage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from programme.moment import Moment
    from programme.notify import PersonLetter
    from views.appeals import Appeal

CARD, FACE, MINE, NOTE = "appeals/card", "appeals/face", "appeals/mine", "appeals/note"
NOBODY = "appeals/nobody"
REMINDER, ESCALATION = store.REMIND, store.ESCALATE


def tell_of_new(moment: Moment, appeal: Appeal, able: frozenset[str]) -> None:
    """A card for the board, in its channel or for each who can decide; and the person's own."""
    view = _view(appeal)
    owed = [NewMessage(f"appeal:{appeal.id}:mine", MINE, view, appeal.person_id, None, moment.now, at_once=True)]
    if moment.governance_channel is not None:
        key = f"appeal:{appeal.id}:board"
        owed.append(NewMessage(key, CARD, view, None, moment.governance_channel, moment.now, at_once=True))
    _owe(moment, appeal, owed)
    if moment.governance_channel is None:
        tell_in_private(moment, appeal, able)


def tell_in_private(moment: Moment, appeal: Appeal, readers: Iterable[str]) -> None:
    """A card of their own for some who can decide."""
    rows = [(f"appeal:{appeal.id}:{reader}", CARD, _view(appeal), reader) for reader in sorted(readers)]
    _owe(moment, appeal, _in_hours(moment, rows))


def tell_of_decision(moment: Moment, appeal: Appeal) -> None:
    """New faces for every copy of the card, and a word to the person."""
    faces = notify.new_faces(moment, appeal.id, {CARD: FACE, MINE: MINE}, occasion=appeal.revision)
    note = (f"appeal:{appeal.id}:{appeal.state}", NOTE, _view(appeal), appeal.person_id)
    _owe(moment, appeal, [*faces, *_in_hours(moment, [note])])


def remind(moment: Moment, appeal: Appeal, able: frozenset[str]) -> None:
    """A card of their own for each who can decide."""
    rows = [
        (f"appeal:{appeal.id}:{REMINDER}:{who}", CARD, _view(appeal, reader=who, step=REMINDER), who)
        for who in sorted(able)
    ]
    _owe(moment, appeal, _in_hours(moment, rows))


def tell_of_escalation(moment: Moment, appeal: Appeal, able: frozenset[str]) -> None:
    """New faces for every copy of the card, and one of their own for each who can decide now."""
    faces = notify.new_faces(moment, appeal.id, {CARD: FACE, MINE: MINE}, occasion=appeal.revision)
    rows = [
        (f"appeal:{appeal.id}:{ESCALATION}:{who}", CARD, _view(appeal, reader=who, step=ESCALATION), who)
        for who in sorted(able)
    ]
    _owe(moment, appeal, [*faces, *_in_hours(moment, rows)])


def tell_of_nobody(moment: Moment, appeal: Appeal, concerned: frozenset[str]) -> None:
    """A word to those who can change that no one can decide: in the board's channel, or to whoever heads the board."""
    key, view = f"appeal:{appeal.id}:nobody", _view(appeal)
    if moment.governance_channel is not None:
        due_at = next_opening(moment.now, moment.zone, moment.handbook.messages)
        owed = [NewMessage(key, NOBODY, view, None, moment.governance_channel, due_at)]
    else:
        heads = _heads(moment, appeal, concerned)
        owed = _in_hours(moment, [(f"{key}:{who}", NOBODY, view, who) for who in heads])
    _owe(moment, appeal, owed)


def _heads(moment: Moment, appeal: Appeal, concerned: frozenset[str]) -> list[str]:
    """The chair; where there is none whom it does not concern, everyone on the board but the person."""
    seats = [one for one in board.seats(moment) if one.person_id != appeal.person_id]
    chairs = [one.person_id for one in seats if one.is_chair and one.person_id not in concerned]
    return chairs or [one.person_id for one in seats]


def _view(appeal: Appeal, **more: str) -> str:
    return json.dumps({"appeal_id": appeal.id, **more})


def _in_hours(moment: Moment, rows: Sequence[PersonLetter]) -> list[NewMessage]:
    book = moment.handbook
    return notify.in_hours(moment, rows, book=book, earliest=moment.now) if rows else []


def _owe(moment: Moment, appeal: Appeal, owed: Iterable[NewMessage]) -> None:
    messages.owe(moment.session, [one._replace(about=appeal.id) for one in owed], now=moment.now)
