"""Who is told what about a review's vote, and when: rows of the outbox, owed in the transaction of what they tell of.

The rows only name the review. What they say is written when they go out, from what holds then (docs/decisions/0012).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policy.exceptions import MEMBER
from policy.hours import next_opening
from programme import notify
from programme.people import board, small_board
from store.outbox import messages
from store.outbox.messages import NewMessage
from views.reviews import ADOPTED, DRAFT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from policy.exceptions import Electorate, Seat
    from policy.period import Quarter
    from programme.moment import Moment
    from views.reviews import Review

PACK, FACE, USE, MONEY = "reviews/pack", "reviews/face", "reviews/use", "reviews/money"
PAGE, PAGE_WITH_CASES = "reviews/page", "reviews/page_with_cases"
OUTCOME, MILESTONE = "reviews/outcome", "reviews/milestone"
UNASKED = "reviews/unasked"
NEW, REMINDER = "new", "remind"
BOARD, MONEY_KEY = "board", "money"


def about(quarter: Quarter) -> str:
    """By which a review's messages are found again."""
    return f"review:{quarter}"


def pack_key(quarter: Quarter, step: str = NEW, reader: str = BOARD) -> str:
    return f"pack:{quarter}:{step}:{reader}"


def tell_unasked(moment: Moment, quarter: Quarter) -> bool:
    """The board is too small to be asked; whether this told it."""
    return small_board.tell_once(moment, about(quarter), UNASKED, {"quarter": str(quarter)})


def tell_of_pack(moment: Moment, kept: Review, electorate: Electorate) -> None:
    """The pack for the board's channel, or for each who is called; in its thread two pictures, and all as a page."""
    called = electorate.voting(electorate.stage)
    owed: list[NewMessage] = []
    if (channel := moment.governance_channel) is not None:
        book = moment.handbook
        due_at = next_opening(moment.now, moment.zone, book.messages)
        owed.append(NewMessage(pack_key(kept.quarter), PACK, _view(kept.quarter), None, channel, due_at))
        # Who need not be in the board's channel gets a copy of their own.
        away = board.delegates(moment)
        called = tuple(seat for seat in called if seat.kind != MEMBER or seat.person_id in away)
    owed += _copies(moment, kept.quarter, called, NEW)
    _owe(moment, kept.quarter, _with_pictures(kept.quarter, owed))


def tell_in_private(moment: Moment, kept: Review, called: Iterable[Seat]) -> None:
    """The pack and what is in its thread for some who are called."""
    _owe(moment, kept.quarter, _with_pictures(kept.quarter, _copies(moment, kept.quarter, called, NEW)))


def _with_pictures(quarter: Quarter, packs: Sequence[NewMessage]) -> list[NewMessage]:
    below = [
        one._replace(key=f"{name}:{one.key}", template=template, thread=one.key, view=_view(quarter))
        for one in packs
        for name, template in ((MONEY_KEY, MONEY), ("use", USE))
    ]
    return [*packs, *below, *(_page(one, quarter, DRAFT) for one in packs)]


def _page(pack: NewMessage, quarter: Quarter, state: str) -> NewMessage:
    """The page in the thread of a pack, once for each state of the review."""
    view = _view(quarter, step=state)
    return pack._replace(key=f"page:{state}:{pack.key}", template=PAGE, thread=pack.key, view=view)


def _pages(moment: Moment, kept: Review) -> list[NewMessage]:
    """The page as it is in this state of the review, for every pack that has pictures and not yet this page."""
    copies = messages.copies(moment.session, about(kept.quarter), (PACK,))
    packs = [
        NewMessage(copy.key, PACK, "", copy.person_id, copy.channel, moment.now)
        for copy in copies
        if messages.is_owed(moment.session, f"{MONEY_KEY}:{copy.key}")
    ]
    pages = [_page(pack, kept.quarter, kept.state) for pack in packs]
    return [page for page in pages if not messages.is_owed(moment.session, page.key)]


def _copies(moment: Moment, quarter: Quarter, seats: Iterable[Seat], step: str) -> Sequence[NewMessage]:
    """A copy for each of some seats, or for whoever stands in there, in their working hours."""
    if not (chosen := list(seats)):
        return ()
    stand_ins = board.delegates(moment)
    readers = dict.fromkeys(stand_ins.get(seat.person_id, seat.person_id) for seat in chosen)
    book = moment.handbook
    letters = [(pack_key(quarter, step, who), PACK, _view(quarter, reader=who, step=step), who) for who in readers]
    return notify.in_hours(moment, letters, book=book, earliest=moment.now)


def tell_of_change(moment: Moment, kept: Review, *, occasion: str = "") -> None:
    """New faces for every copy of the pack, and its page anew once the vote is over.

    `occasion` is there where it is not the review that changed.
    """
    faces = notify.new_faces(moment, about(kept.quarter), {PACK: FACE}, occasion=occasion or kept.revision)
    _owe(moment, kept.quarter, [*faces, *_pages(moment, kept)])


def tell_of_outcome(moment: Moment, kept: Review, electorate: Electorate) -> None:
    """A word that it is adopted or lapsed: new faces notify no one."""
    _tell_board(moment, kept, electorate, (OUTCOME, kept.state))


def tell_of_milestone(moment: Moment, kept: Review, electorate: Electorate, step: str) -> None:
    """A word that it holds from now, or that no one can appeal any more."""
    _tell_board(moment, kept, electorate, (MILESTONE, step))


def milestones_told(moment: Moment, quarter: Quarter) -> set[str]:
    """The milestones of which the board was told, or is about to be."""
    return {str(copy.view["step"]) for copy in messages.copies(moment.session, about(quarter), (MILESTONE,))}


def _tell_board(moment: Moment, kept: Review, electorate: Electorate, what: tuple[str, str]) -> None:
    """A word in the board's channel, or to each who was called; what only the calendar did wakes no one."""
    template, step = what
    if (channel := moment.governance_channel) is None:
        called = electorate.voting(electorate.stage)
        copies = _copies(moment, kept.quarter, called, step)
        _owe(moment, kept.quarter, [one._replace(template=template) for one in copies])
        return
    is_press = step == ADOPTED
    book = moment.handbook
    due_at = moment.now if is_press else next_opening(moment.now, moment.zone, book.messages)
    view = _view(kept.quarter, step=step)
    letter = NewMessage(f"pack:{kept.quarter}:{step}", template, view, None, channel, due_at, at_once=is_press)
    _owe(moment, kept.quarter, [letter])


def tell_of_cases(moment: Moment, kept: Review, reader: str, package: int) -> bool:
    """The page with the cases for someone who asked for it, at once; False where they have it as it is by now."""
    key = f"page:cases:{kept.quarter}:{package}.{kept.revision}:{reader}"
    if messages.is_owed(moment.session, key):
        return False
    view = _view(kept.quarter, reader=reader)
    _owe(moment, kept.quarter, [NewMessage(key, PAGE_WITH_CASES, view, reader, None, moment.now, at_once=True)])
    return True


def remind(moment: Moment, kept: Review, seats: Iterable[Seat]) -> None:
    """A copy of their own to everyone who may vote and has not."""
    _owe(moment, kept.quarter, _copies(moment, kept.quarter, seats, REMINDER))


def pass_on(moment: Moment, kept: Review, reader: str, occasion: str) -> None:
    """The pack with its thread for someone who votes on it from now on, unless they have it; new faces for all."""
    tell_of_change(moment, kept, occasion=occasion)
    if reader in {copy.person_id for copy in messages.arrivals(moment.session, about(kept.quarter), PACK)}:
        return
    # As a reminder it goes out only if that vote is still awaited.
    view = _view(kept.quarter, reader=reader, step=REMINDER)
    letters = [(pack_key(kept.quarter, occasion, reader), PACK, view, reader)]
    copies = notify.in_hours(moment, letters, book=moment.handbook, earliest=moment.now)
    _owe(moment, kept.quarter, _with_pictures(kept.quarter, copies))


def _owe(moment: Moment, quarter: Quarter, letters: Iterable[NewMessage]) -> None:
    messages.owe(moment.session, [letter._replace(about=about(quarter)) for letter in letters], now=moment.now)


def _view(quarter: Quarter, **more: str) -> str:
    return json.dumps({"quarter": str(quarter), **more})
