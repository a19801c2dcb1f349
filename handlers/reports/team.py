"""`/tokens team`: what a manager's team spends, on what, and where it is heading."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from handlers.slack.commands import TEAM, Command
from policy.period import day_of
from policy.reasons import Refusal
from programme.reports.team import team_report
from store.people import directory as people_store
from store.people import teams
from templates import team

if TYPE_CHECKING:
    from handlers.slack.commands import Request
    from programme.app import App
    from templates.render import Message


def show_team(app: App, request: Request) -> Message | None:
    with app.reading(request.now) as moment:
        person = people_store.by_slack_id(moment.session, request.slack_user_id)
        if person is None:
            return None
        has_left = person.left_on is not None and person.left_on < day_of(request.now, app.zone)
    report = None
    if not has_left:
        with app.reporting(request.now, same=partial(teams.lines_below, manager_id=person.id)) as moment:
            report = team_report(moment, person.id)
    if report is None:
        raise Refusal(
            "no_reports",
            "No one reports to you, so there is no team to show.",
            next_step="For your own spend, use `/tokens balance`.",
        )
    return team.answer(report)


COMMANDS = (Command("team", "", "what your team spends", show_team, topic=TEAM),)
