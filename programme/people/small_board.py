"""A board that is too small to decide something: it is told so once instead of asked, until it is large enough."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policy import exceptions
from policy.reasons import Refusal
from policy.reviews.votes import NOBODY
from programme.people import board
from store import runs
from store.outbox import messages
from store.outbox.messages import NewMessage
from store.people import directory as people_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from programme.moment import Moment

CLAIM = "board.too_small"
"""The job by which each matter is told of once."""


def can_decide(moment: Moment, class_name: str) -> bool:
    """Whether the board is large enough for a matter that recuses no one; what else is in the way, asking says."""
    try:
        exceptions.electorate(board.seats(moment), NOBODY, class_name, moment.handbook.exceptions)
    except Refusal as refusal:
        return refusal.code != exceptions.NOBODY_LEFT
    return True


def waits(moment: Moment, about: str, class_name: str) -> bool:
    """Whether those concerned know that the board is too small for a matter, and it still is."""
    return runs.is_done(moment.session, CLAIM, about) and not can_decide(moment, class_name)


def tell_once(moment: Moment, about: str, template: str, view: Mapping[str, str]) -> bool:
    """Tell that the board can't be asked about a matter; False where that was done before."""
    if not runs.claim(moment.session, CLAIM, about, now=moment.now):
        return False
    tell(moment, f"board_too_small:{about}", template, view)
    return True


def tell(moment: Moment, key: str, template: str, view: Mapping[str, str]) -> None:
    """To the board's channel, or to everyone on it, and to those who can enlarge it."""
    kept, channel = json.dumps(view), moment.governance_channel
    readers = people_store.with_role(moment.session, "admin", moment.today)
    if channel is None:
        readers = list(dict.fromkeys([*readers, *(seat.person_id for seat in board.seats(moment))]))
    owed = [NewMessage(f"{key}:{one}", template, kept, one, None, moment.now, at_once=True) for one in readers]
    if channel is not None:
        owed.append(NewMessage(key, template, kept, None, channel, moment.now, at_once=True))
    messages.owe(moment.session, owed, now=moment.now)
