"""`/tokens roi`: what the programme brings, for the board and finance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.slack.commands import BOARD, Command
from programme.roi import reports
from store.people import directory as people_store
from templates import roi

if TYPE_CHECKING:
    from handlers.slack.commands import Request
    from programme.app import App
    from templates.render import Message


def show_report(app: App, request: Request) -> Message | None:
    with app.reading(request.now) as moment:
        person = people_store.by_slack_id(moment.session, request.slack_user_id)
        if person is None:
            return None
        shown = reports.latest_for(moment, person)
    return roi.message(shown)


COMMANDS = (Command("roi", "", "what the programme brings, and whether it pays", show_report, topic=BOARD),)
