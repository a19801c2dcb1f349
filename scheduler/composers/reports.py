"""The weekly report of a team, written from what holds when it goes out, with its picture."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from programme.reports import weekly
from programme.reports.weekly import WhoseWeek
from scheduler.composers.drawing import drawn
from templates import charts, team
from views import codec

if TYPE_CHECKING:
    from programme.app import App
    from templates.charts import Picture
    from templates.render import Message


def compose(app: App, view: object) -> tuple[Message, Picture | None] | None:
    """A manager's week; None where there is nothing that may be told, or where a later report is due."""
    whose = codec.read(WhoseWeek, view)
    with app.reporting(same=partial(weekly.who_reads, whose)) as moment:
        report = weekly.report_of(moment, whose)
    if report is None:
        return None
    picture = drawn(lambda: charts.weekly_spend(report)) if report.weeks else None
    return team.weekly(report), picture
