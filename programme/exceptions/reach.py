"""Whether those who decide a request have its card; and what follows when Slack does not take it.

The requester reads what is so: that the board was told is said only when it was (docs/decisions/0030).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from programme import notify
from programme.exceptions import notices
from programme.exceptions.request import case_of, require
from store.outbox import messages

if TYPE_CHECKING:
    from programme.moment import Moment
    from store.exceptions.requests import Request
    from store.outbox.messages import Arrival

INSTEAD = "instead"
"""The step of cards that stand in for the one in the board's channel."""

TOLD, UNDER_WAY, IN_PRIVATE, NOBODY = "told", "under_way", "in_private", "nobody"
"""Someone who decides has the card; no one has it yet; it goes to each in private because the channel's was refused;
none could be delivered."""


def of(moment: Moment, request: Request) -> str:
    """How far the card of a request came by now."""
    copies = _copies(moment, request)
    has_arrived = any(copy.arrived for copy in copies)
    if not has_arrived and not any(copy.is_under_way for copy in copies):
        return NOBODY
    if any(copy.is_parked and copy.channel is not None for copy in copies):
        return IN_PRIVATE
    return TOLD if has_arrived else UNDER_WAY


def note_parked(moment: Moment, request_id: str, *, of_channel: bool) -> None:
    """The card could not be delivered: from the channel it goes to each who decides, and the requester reads so."""
    request = require(moment, request_id)
    if not request.is_undecided:
        return
    if of_channel:
        has_one = {copy.person_id for copy in _copies(moment, request)}
        silent = case_of(moment, request).silent()
        notices.remind(moment, request, silent, INSTEAD, but=has_one)
    _tell_requester(moment, request)


def note_arrived(moment: Moment, request_id: str, *, of_channel: bool) -> None:
    """Once a card arrives after all, what the requester reads of the trouble is no longer so."""
    request = require(moment, request_id)
    copies = _copies(moment, request)
    had_trouble = any(copy.is_parked or f":{INSTEAD}:" in copy.key for copy in copies)
    is_first = sum(copy.arrived for copy in copies) == 1
    if request.is_undecided and had_trouble and (of_channel or is_first):
        _tell_requester(moment, request)


def _copies(moment: Moment, request: Request) -> list[Arrival]:
    return messages.arrivals(moment.session, request.id, notices.CARD)


def _tell_requester(moment: Moment, request: Request) -> None:
    """A new face of the requester's own message; each is written from what holds when it goes out."""
    occasion = f"reach:{messages.count_about(moment.session, request.id)}"
    faces = notify.new_faces(moment, request.id, {notices.MINE: notices.MINE}, occasion=occasion)
    messages.owe(moment.session, [face._replace(about=request.id) for face in faces], now=moment.now)
