"""Handing one's vote on the board to somebody, and back: both are told, and what is open is passed on.

The rows only name who and whom: what they say is written when they go out, from what holds then
(docs/decisions/0012).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policy.exceptions import MEMBER
from programme import notify
from programme.cash import cards as cash_cards
from programme.cash import notices as cash_notices
from programme.exceptions import notices as request_notices
from programme.exceptions.request import cases
from programme.people import board
from programme.reviews import drafting, packs
from programme.reviews import notices as review_notices
from store.exceptions import requests as requests_store
from store.holds import cash as cash_store
from store.outbox import messages
from store.people import board as board_store
from store.reviews import drafts
from store.reviews import votes as votes_store

if TYPE_CHECKING:
    from datetime import date

    from policy.period import Quarter
    from programme.moment import Moment
    from store.exceptions.requests import Request
    from store.people.board import Delegation
    from store.people.directory import Person

STANDS_IN, STOOD_IN = "board/stands_in", "board/stood_in"


def hand_over(moment: Moment, member: Person, to: Person, last_day: date) -> Delegation:
    """Let somebody vote in a member's place until the end of a day; who did so before is told that it ended."""
    before = board_store.current(moment.session, member.id, moment.today)
    made = board.delegate(moment, member, to, last_day)
    new = board_store.current(moment.session, member.id, moment.today)
    assert new is not None  # noqa: S101 - it was made just now
    letters = [_letter(STANDS_IN, new.id, member.id, to.id)]
    if before is not None and before.delegate_id != to.id:
        letters.append(_letter(STOOD_IN, before.id, member.id, before.delegate_id))
    _tell(moment, letters)
    _pass_on(moment, to.id, f"delegation_{new.id}")
    return made


def take_back(moment: Moment, member: Person) -> bool:
    """End what a member handed over, and give back what is open; False when there was nothing."""
    ended = board_store.current(moment.session, member.id, moment.today)
    if not board.take_back(moment, member):
        return False
    if ended is not None:
        _tell(moment, [_letter(STOOD_IN, ended.id, member.id, ended.delegate_id)])
        if moment.governance_channel is None or not _reads_channel(moment, member.id):
            _pass_on(moment, member.id, f"back_{ended.id}")
    return True


def awaited_requests(moment: Moment, person_id: str) -> list[Request]:
    """The requests that wait for someone's vote, the nearest deadline first."""
    some = requests_store.undecided(moment.session)
    found = cases(moment, some, person_id)
    return [one for one in some if found[one.id].awaits(moment, person_id)]


def awaited_review(moment: Moment, person_id: str) -> Quarter | None:
    """The review that waits for someone's vote."""
    kept = drafts.latest(moment.session)
    if kept is None or votes_store.panel(moment.session, kept.quarter) is None:
        return None
    return kept.quarter if packs.awaits(moment, kept.quarter, person_id) else None


def _pass_on(moment: Moment, person_id: str, occasion: str) -> None:
    """A copy of everything that waits for someone now, unless they have one."""
    for question in cash_store.all_open(moment.session):
        if cash_cards.awaits(moment, question, person_id):
            cash_notices.pass_on(moment, question, person_id, occasion)
    for request in awaited_requests(moment, person_id):
        request_notices.pass_on(moment, request, person_id, occasion)
    quarter = awaited_review(moment, person_id)
    if quarter is not None:
        review_notices.pass_on(moment, drafting.require(moment, quarter), person_id, occasion)


def _reads_channel(moment: Moment, person_id: str) -> bool:
    """Whether someone finds every card in the board's channel: others have copies of their own."""
    return any(seat.person_id == person_id and seat.kind == MEMBER for seat in board.seats(moment))


def _letter(template: str, delegation_id: int, member: str, to: str) -> notify.PersonLetter:
    return (f"{template}:{delegation_id}", template, json.dumps({"member": member, "delegate": to}), to)


def _tell(moment: Moment, letters: list[notify.PersonLetter]) -> None:
    rows = notify.in_hours(moment, letters, book=moment.handbook, earliest=moment.now)
    messages.owe(moment.session, rows, now=moment.now)
