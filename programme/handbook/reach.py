"""What follows when Slack does not take a proposal's card in the board's channel: each who may confirm gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from programme.handbook import deciding, notices
from store.handbook import proposals as store
from store.outbox import messages

if TYPE_CHECKING:
    from programme.moment import Moment


def note_parked(moment: Moment, proposal_id: str) -> None:
    proposal = store.get(moment.session, proposal_id)
    if proposal is None or not proposal.is_open:
        return
    has_one = {copy.person_id for copy in messages.arrivals(moment.session, proposal.id, notices.CARD)}
    able = deciding.deciders(moment, proposal.proposed_by)
    notices.tell_in_private(moment, proposal, [seat.person_id for seat in able if seat.person_id not in has_one])
