"""On Monday morning, in their own time, each manager is told of their team: who is owed which message, what it says.

(Types of what a row keeps are imported at run time: msgspec reads the annotations.)
"""

# ruff: noqa: TC003 - the types of fields are needed at run time

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from policy.hours import next_opening
from policy.period import Week, first_instant
from programme import notify
from programme.reports.team import team_report
from store import time_zones
from store.grants import leavers
from store.outbox import messages
from store.outbox.messages import NewMessage
from store.people import directory, teams
from views import codec

if TYPE_CHECKING:
    from datetime import datetime

    from programme.moment import Moment
    from store.engine import Session
    from views.reports import TeamReport

TEMPLATE = "reports/weekly"


@dataclass(frozen=True, slots=True)
class WhoseWeek:
    """What a row of the outbox keeps of a report: whose it is, and on which Monday it was due."""

    manager: str
    monday: date


def owe(moment: Moment, week: Week) -> int:
    """Owe every manager the report that is due at the beginning of a week; how many. None for a week that is over.

    The rows only say whose report it is: it is written from what holds when it goes out.
    """
    today = moment.today
    if week < Week.containing(today):
        return 0
    book = moment.handbooks.on(today)
    gone = leavers.left_before(moment.session, today)
    managers = [one for one in teams.managers(moment.session, week.first_day) if one not in gone]
    zones = {id_: time_zones.zone(name, moment.zone) for id_, name in notify.zones(moment, managers).items()}
    morning = {
        # Not before the programme's week is over, which further east is their Monday's noon or evening.
        zone: next_opening(
            max(moment.now, first_instant(week.first_day, zone), first_instant(week.first_day, moment.zone)),
            zone,
            book.messages,
        )
        for zone in set(zones.values())
    }
    messages.owe(moment.session, [_letter(week, one, morning[zones[one]]) for one in managers], now=moment.now)
    return len(managers)


def _letter(week: Week, manager: str, due: datetime) -> NewMessage:
    view = codec.written(WhoseWeek(manager, week.first_day))
    return NewMessage(f"weekly:{week}:{manager}", TEMPLATE, view, manager, None, due)


def who_reads(whose: WhoseWeek, session: Session) -> object:
    """What decides whether a manager may still read of a team: that they are there, and who reports to them."""
    return directory.by_id(session, whose.manager), teams.lines_below(session, whose.manager)


def report_of(moment: Moment, whose: WhoseWeek) -> TeamReport | None:
    """What a row stands for; None where there is nothing that may be told, or where the next one is due already."""
    week, today = Week(whose.monday), moment.today
    if week < Week.containing(today) or whose.manager in leavers.left_before(moment.session, today):
        return None
    report = team_report(moment, whose.manager, week=week)
    return None if report is None or (report.hidden and not report.teams) else report
