"""Who is told what about a review's vote, and when: rows of the outbox, owed in the transaction of what they tell of.

The rows only name the review. What they say is written when they go out, from what holds then (docs/decisions/0012).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policy.exceptions import MEMBER
from policy.hours import next_opening
from policy.period import day_of
from programme import handbooks, notify
from programme.people import board
from store.outbox import messages
from store.outbox.messages import NewLetter
from store.reviews.drafts import ADOPTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from policy.exceptions import Electorate, Seat
    from policy.period import Quarter
    from programme.app import Desk
    from store.engine import Session
    from store.reviews.drafts import Review

PACK, FACE, USE, MONEY = "review/pack", "review/face", "review/use", "review/money"
OUTCOME, MILESTONE = "review/outcome", "review/milestone"
NEW, REMINDER = "new", "remind"
BOARD = "board"


def about(quarter: Quarter) -> str:
    """By which a review's messages are found again."""
    return f"review:{quarter}"


def pack_key(quarter: Quarter, step: str = NEW, reader: str = BOARD) -> str:
    return f"pack:{quarter}:{step}:{reader}"


def tell_of_pack(session: Session, kept: Review, electorate: Electorate, *, desk: Desk, now: datetime) -> None:
    """The pack for the board's channel, or for each who is called; below it the pictures of money and use."""
    called = electorate.voting(electorate.stage)
    owed: list[NewLetter] = []
    if (channel := desk.governance_channel) is not None:
        book = handbooks.load(session).on(day_of(now, desk.zone))
        due_at = next_opening(now, desk.zone, book.messages)
        owed.append(NewLetter(pack_key(kept.quarter), PACK, _view(kept.quarter), None, channel, due_at))
        # Who need not be in the board's channel gets a copy of their own.
        away = board.delegates(session, desk=desk, now=now)
        called = tuple(seat for seat in called if seat.kind != MEMBER or seat.person_id in away)
    owed += _copies(session, kept.quarter, called, NEW, desk=desk, now=now)
    owed += [
        one._replace(key=f"{name}:{one.key}", template=template, thread=one.key, view=_view(kept.quarter))
        for one in owed
        for name, template in (("money", MONEY), ("use", USE))
    ]
    _owe(session, kept.quarter, owed, now=now)


def _copies(
    session: Session, quarter: Quarter, seats: Iterable[Seat], step: str, *, desk: Desk, now: datetime
) -> Sequence[NewLetter]:
    """A copy for each of some seats, or for whoever stands in there, in their working hours."""
    if not (chosen := list(seats)):
        return ()
    stand_ins = board.delegates(session, desk=desk, now=now)
    readers = dict.fromkeys(stand_ins.get(seat.person_id, seat.person_id) for seat in chosen)
    book = handbooks.load(session).on(day_of(now, desk.zone))
    letters = [(pack_key(quarter, step, who), PACK, _view(quarter, reader=who, step=step), who) for who in readers]
    return notify.in_hours(session, letters, book=book, earliest=now)


def tell_of_change(session: Session, kept: Review, *, now: datetime, occasion: str = "") -> None:
    """New faces for every copy of the pack; `occasion` where it is not the review that changed."""
    owed = [
        NewLetter(
            f"{copy.key}@{occasion or kept.revision}", FACE, _view(kept.quarter), copy.person_id, copy.channel, now,
            at_once=True, replaces=copy.key,
        )
        for copy in messages.copies(session, about(kept.quarter), (PACK,))
    ]  # fmt: skip
    _owe(session, kept.quarter, owed, now=now)


def tell_of_outcome(session: Session, kept: Review, electorate: Electorate, *, desk: Desk, now: datetime) -> None:
    """A word that it is adopted or lapsed: new faces notify no one."""
    _tell_board(session, kept, electorate, (OUTCOME, kept.state), desk=desk, now=now)


def tell_of_milestone(
    session: Session, kept: Review, electorate: Electorate, step: str, *, desk: Desk, now: datetime
) -> None:  # fmt: skip
    """A word that it holds from now, or that no one can appeal any more."""
    _tell_board(session, kept, electorate, (MILESTONE, step), desk=desk, now=now)


def milestones_told(session: Session, quarter: Quarter) -> set[str]:
    """The milestones of which the board was told, or is about to be."""
    return {str(copy.view["step"]) for copy in messages.copies(session, about(quarter), (MILESTONE,))}


def _tell_board(
    session: Session, kept: Review, electorate: Electorate, what: tuple[str, str], *, desk: Desk, now: datetime
) -> None:  # fmt: skip
    """A word in the board's channel, or to each who was called; what only the calendar did wakes no one."""
    template, step = what
    if (channel := desk.governance_channel) is None:
        called = electorate.voting(electorate.stage)
        copies = _copies(session, kept.quarter, called, step, desk=desk, now=now)
        _owe(session, kept.quarter, [one._replace(template=template) for one in copies], now=now)
        return
    is_press = step == ADOPTED
    book = handbooks.load(session).on(day_of(now, desk.zone))
    due_at = now if is_press else next_opening(now, desk.zone, book.messages)
    view = _view(kept.quarter, step=step)
    letter = NewLetter(f"pack:{kept.quarter}:{step}", template, view, None, channel, due_at, at_once=is_press)
    _owe(session, kept.quarter, [letter], now=now)


def remind(session: Session, kept: Review, seats: Iterable[Seat], *, desk: Desk, now: datetime) -> None:
    """A copy of their own to everyone who may vote and has not."""
    _owe(session, kept.quarter, _copies(session, kept.quarter, seats, REMINDER, desk=desk, now=now), now=now)


def _owe(session: Session, quarter: Quarter, letters: Iterable[NewLetter], *, now: datetime) -> None:
    messages.owe(session, [letter._replace(about=about(quarter)) for letter in letters], now=now)


def _view(quarter: Quarter, **more: str) -> str:
    return json.dumps({"quarter": str(quarter), **more})
