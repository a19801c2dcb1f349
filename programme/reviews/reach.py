"""What follows when Slack does not take the board's pack in its channel: each who is called to vote gets a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.period import Quarter
from programme.reviews import drafting, notices
from store.outbox import messages
from store.reviews import votes
from views.reviews import DRAFT

if TYPE_CHECKING:
    from programme.moment import Moment


def note_parked(moment: Moment, quarter_name: str) -> None:
    quarter = Quarter.parse(quarter_name)
    kept, panel = drafting.require(moment, quarter), votes.panel(moment.session, quarter)
    if kept.state != DRAFT or panel is None:
        return
    has_one = {copy.person_id for copy in messages.arrivals(moment.session, notices.about(quarter), notices.PACK)}
    called = [seat for seat in panel.electorate.voting(panel.stage) if seat.person_id not in has_one]
    notices.tell_in_private(moment, kept, called)
