"""Who is told what about an appeal, and when: rows of the outbox, owed in the transaction of what they tell of.

The rows only name the appeal. What they say is written when they go out, from what holds then (docs/decisions/0012).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policy.hours import next_opening
from policy.period import day_of
from programme import handbooks, notify
from programme.people import board
from store.appeals import records as store
from store.outbox import messages
from store.outbox.messages import NewLetter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from programme.app import Desk
    from programme.notify import PersonLetter
    from store.appeals.records import Appeal
    from store.engine import Session

CARD, FACE, MINE, NOTE = "appeals/card", "appeals/face", "appeals/mine", "appeals/note"
NOBODY = "appeals/nobody"
REMINDER = store.REMIND


def tell_of_new(session: Session, appeal: Appeal, able: frozenset[str], *, desk: Desk, now: datetime) -> None:
    """A card for the board, in its channel or for each who can decide; and the person's own."""
    view = _view(appeal)
    owed = [NewLetter(f"appeal:{appeal.id}:mine", MINE, view, appeal.person_id, None, now, at_once=True)]
    if desk.governance_channel is not None:
        key = f"appeal:{appeal.id}:board"
        owed.append(NewLetter(key, CARD, view, None, desk.governance_channel, now, at_once=True))
    else:
        rows = [(f"appeal:{appeal.id}:{reader}", CARD, view, reader) for reader in sorted(able)]
        owed += _in_hours(session, rows, desk=desk, now=now)
    _owe(session, appeal, owed, now=now)


def tell_of_decision(session: Session, appeal: Appeal, *, desk: Desk, now: datetime) -> None:
    """New faces for every copy of the card, and a word to the person."""
    faces = [
        NewLetter(
            f"{copy.key}@{appeal.revision}", FACE if copy.template == CARD else copy.template, json.dumps(copy.view),
            copy.person_id, copy.channel, now, at_once=True, replaces=copy.key,
        )
        for copy in messages.copies(session, appeal.id, (CARD, MINE))
    ]  # fmt: skip
    note = (f"appeal:{appeal.id}:{appeal.state}", NOTE, _view(appeal), appeal.person_id)
    _owe(session, appeal, [*faces, *_in_hours(session, [note], desk=desk, now=now)], now=now)


def remind(session: Session, appeal: Appeal, able: frozenset[str], *, desk: Desk, now: datetime) -> None:
    """A card of their own for each who can decide."""
    rows = [
        (f"appeal:{appeal.id}:{REMINDER}:{who}", CARD, _view(appeal, reader=who, step=REMINDER), who)
        for who in sorted(able)
    ]
    _owe(session, appeal, _in_hours(session, rows, desk=desk, now=now), now=now)


def tell_of_nobody(
    session: Session, appeal: Appeal, concerned: frozenset[str], *, desk: Desk, now: datetime
) -> None:  # fmt: skip
    """A word to those who can change that no one can decide: in the board's channel, or to whoever heads the board."""
    key, view = f"appeal:{appeal.id}:nobody", _view(appeal)
    if desk.governance_channel is not None:
        due_at = next_opening(now, desk.zone, handbooks.load(session).on(day_of(now, desk.zone)).messages)
        owed = [NewLetter(key, NOBODY, view, None, desk.governance_channel, due_at)]
    else:
        heads = _heads(session, appeal, concerned, desk=desk, now=now)
        owed = _in_hours(session, [(f"{key}:{who}", NOBODY, view, who) for who in heads], desk=desk, now=now)
    _owe(session, appeal, owed, now=now)


def _heads(session: Session, appeal: Appeal, concerned: frozenset[str], *, desk: Desk, now: datetime) -> list[str]:
    """The chair; where there is none whom it does not concern, everyone on the board but the person."""
    seats = [one for one in board.seats(session, desk=desk, now=now) if one.person_id != appeal.person_id]
    chairs = [one.person_id for one in seats if one.is_chair and one.person_id not in concerned]
    return chairs or [one.person_id for one in seats]


def _view(appeal: Appeal, **more: str) -> str:
    return json.dumps({"appeal_id": appeal.id, **more})


def _in_hours(session: Session, rows: Sequence[PersonLetter], *, desk: Desk, now: datetime) -> list[NewLetter]:
    book = handbooks.load(session).on(day_of(now, desk.zone))
    return notify.in_hours(session, rows, book=book, earliest=now) if rows else []


def _owe(session: Session, appeal: Appeal, owed: Iterable[NewLetter], *, now: datetime) -> None:
    messages.owe(session, [one._replace(about=appeal.id) for one in owed], now=now)
