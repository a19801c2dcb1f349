"""What follows when Slack does not take an appeal's card in the board's channel: each who can decide gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from programme.appeals import annual, annual_notices, appeals, cards, notices
from store.outbox import messages

if TYPE_CHECKING:
    from programme.moment import Moment


def note_parked(moment: Moment, appeal_id: str) -> None:
    able = cards.awaits(moment, appeal_id) or frozenset()
    appeal = appeals.require(moment, *appeals.parse_id(appeal_id))
    has_one = {copy.person_id for copy in messages.arrivals(moment.session, appeal.id, notices.CARD)}
    notices.tell_in_private(moment, appeal, able - has_one)


def note_annual_parked(moment: Moment, appeal_id: str) -> None:
    annual_notices.tell_in_private(moment, annual.require(moment, appeal_id), annual.awaits(moment, appeal_id))
