"""Who is told what about a proposed handbook: rows of the outbox, owed in the transaction of what they tell of.

The rows only name the proposal. What they say is written when they go out, from what holds then.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policy.exceptions import MEMBER
from programme import notify
from programme.handbook import cards
from programme.reviews import notices as reviews_notices
from store.outbox import messages
from store.outbox.messages import NewMessage
from store.reviews import drafts
from views.handbook import LAPSED, WITHDRAWN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from policy.exceptions import Seat
    from programme.moment import Moment
    from views.handbook import Proposal

CARD, FACE, MINE, NOTE = "handbook/card", "handbook/face", "handbook/mine", "handbook/note"


def card_key(proposal_id: str) -> str:
    """The key of the copy of a proposal's card in the board's channel; copies for people have longer ones."""
    return f"policy:{proposal_id}"


def _view(proposal: Proposal, reader: str | None = None) -> str:
    return json.dumps({"proposal_id": proposal.id, "reader": reader})


def tell_of_new(moment: Moment, proposal: Proposal, deciders: Iterable[Seat]) -> None:
    """The card for the board, in its channel or for each who may decide, and the proposer's own."""
    mine = (f"policy_mine:{proposal.id}", MINE, _view(proposal), proposal.proposed_by)
    owed = [_at_once(*mine, None, moment.now)]
    channel = moment.governance_channel
    if channel is not None:
        owed.append(_at_once(card_key(proposal.id), CARD, _view(proposal), None, channel, moment.now))
    for seat in deciders:
        # Who need not be in the board's channel gets a card of their own.
        if channel is None or seat.kind != MEMBER:
            key = f"{card_key(proposal.id)}:{seat.person_id}"
            owed.append(_at_once(key, CARD, _view(proposal, seat.person_id), seat.person_id, None, moment.now))
    _owe(moment, proposal, owed)


def tell_in_private(moment: Moment, proposal: Proposal, readers: Iterable[str]) -> None:
    """A card of their own for some who may decide."""
    cards_owed = [
        _at_once(f"{card_key(proposal.id)}:{reader}", CARD, _view(proposal, reader), reader, None, moment.now)
        for reader in readers
    ]
    _owe(moment, proposal, cards_owed)


def tell_of_decision(moment: Moment, proposal: Proposal) -> None:
    """New faces for every copy, and a word to the proposer about what someone else did."""
    _owe(moment, proposal, _faces(moment, proposal, proposal.state))
    if proposal.state == WITHDRAWN:
        return
    note = (f"policy_note:{proposal.id}", NOTE, _view(proposal), proposal.proposed_by)
    if proposal.state == LAPSED:
        # No one did this just now, so no one waits for it at night.
        book = moment.handbook
        _owe(moment, proposal, notify.in_hours(moment, [note], book=book, earliest=moment.now))
    else:
        _owe(moment, proposal, [_at_once(*note, None, moment.now)])


def renew(moment: Moment, proposal: Proposal, occasion: str) -> None:
    """New faces for every copy of a card, and nothing else; once for each occasion."""
    _owe(moment, proposal, _faces(moment, proposal, occasion))


def renew_pack(moment: Moment, proposal: Proposal) -> None:
    """The board's pack tells of proposed thresholds: its copies get a new face when those come and go."""
    kept = drafts.latest(moment.session)
    if kept is not None and cards.untried(moment, proposal).moves_thresholds:
        reviews_notices.tell_of_change(moment, kept, occasion=f"{proposal.id}:{proposal.state}")


def _faces(moment: Moment, proposal: Proposal, occasion: str) -> list[NewMessage]:
    return notify.new_faces(moment, proposal.id, {CARD: FACE, MINE: MINE}, occasion=occasion)


def _at_once(  # noqa: PLR0917 - in the order of a letter
    key: str, template: str, view: str, person_id: str | None, channel: str | None, now: datetime
) -> NewMessage:
    return NewMessage(key, template, view, person_id, channel, now, at_once=True)


def _owe(moment: Moment, proposal: Proposal, letters: Iterable[NewMessage]) -> None:
    messages.owe(moment.session, [letter._replace(about=proposal.id) for letter in letters], now=moment.now)
