"""Each manager is owed one report a week, on the morning of their own Monday, and none that says nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from slack_sdk import WebClient

from handlers import tokens
from policy.period import Week
from programme import handbooks, letters
from programme.reports import weekly
from programme.reports.weekly import WhoseWeek
from scheduler import messages as composing
from scheduler import tick
from store.tables.outbox import outbox
from store.tables.people import people
from tests.support import books, cast, rollout, teams
from tests.support.books import ADA
from tests.support.teams import DANA, MARA, PIA, TEAM

if TYPE_CHECKING:
    from programme.app import Desk

NEXT_MONDAY = date(2026, 11, 23)


def owed(desk: Desk) -> dict[str, datetime]:
    """Who is owed a report, and when it goes out."""
    query = sa.select(people.c.email, outbox.c.due_at).join(people, people.c.id == outbox.c.person_id)
    return dict(books.rows(desk, query.where(outbox.c.template == weekly.TEMPLATE)))


def owe(desk: Desk, monday: date = NEXT_MONDAY) -> int:
    with desk.transaction() as session:
        return weekly.owe(session, Week(monday), desk=desk, now=desk.clock())


def composed(desk: Desk, manager: str, monday: date) -> object:
    view = letters.plain(WhoseWeek(cast.person_id(desk, manager), monday))
    return composing.compose(weekly.TEMPLATE, view, desk=desk)


def test_monday_morning_is_everybodys_own(desk: Desk) -> None:
    """Nine o'clock in Tokyo, Berlin and New York; Tuesday where Monday is a holiday for all."""
    teams.hire(
        desk, teams.person("aki@example.com", "", zone="Asia/Tokyo"), teams.person(PIA, "", zone="America/New_York"),
        teams.person("r1@example.com", "aki@example.com"), teams.person("r2@example.com", PIA),
    )  # fmt: skip
    assert owe(desk) == 3
    assert owed(desk) == {
        MARA: datetime(2026, 11, 23, 8, tzinfo=UTC),
        "aki@example.com": datetime(2026, 11, 23, 0, tzinfo=UTC),
        PIA: datetime(2026, 11, 23, 14, tzinfo=UTC),
    }


def test_a_holiday_moves_it_to_the_next_working_day(desk: Desk) -> None:
    """The bot writes on working days only."""
    text = books.handbook_text("2026.3", date(2026, 11, 2)).replace("holidays = []", "holidays = [2026-11-23]")
    with desk.transaction() as session:
        handbooks.apply(session, text, actor=handbooks.SYSTEM, now=desk.clock())
    owe(desk)
    assert owed(desk) == {MARA: datetime(2026, 11, 24, 8, tzinfo=UTC)}


def test_the_calendar_owes_each_week_once(desk: Desk) -> None:
    """Ticks of two weeks: a report for each Monday, none twice; the weeks of an outage are past."""
    teams.hire_team(desk)
    rollout.launch(desk)
    for _ in range(4 * 14):
        rollout.run_calendar(desk, desk.clock())
        desk.clock.move(hours=6)  # type: ignore[attr-defined]  # the tests' clock
    keys = {key for (key,) in books.rows(desk, sa.select(outbox.c.key).where(outbox.c.template == weekly.TEMPLATE))}
    mara = cast.person_id(desk, MARA)
    assert keys == {f"weekly:2026-W48:{mara}", f"weekly:2026-W49:{mara}"}
    desk.clock.move(days=21)  # type: ignore[attr-defined]  # the tests' clock
    done = tick.tick(desk, now=desk.clock()).done
    assert [run.period for run in done if run.job == "weekly"] == ["2026-W50", "2026-W51", "2026-W52"]
    assert set(owed(desk)) == {MARA}
    assert len(rollout.owed(desk, weekly.TEMPLATE)) == 3


def test_leavers_and_people_without_reports_are_owed_nothing(desk: Desk) -> None:
    """Mara left, and nobody else leads anybody."""
    teams.leave(desk, MARA, date(2026, 11, 19))
    assert owe(desk) == 0


def test_what_cannot_be_told_is_not_sent(desk: Desk) -> None:
    """A team of two has no figures: its manager is not written to every week to read that; one of seven is."""
    desk.clock.move(days=3)  # type: ignore[attr-defined]  # the tests' clock
    assert composed(desk, MARA, NEXT_MONDAY) is None
    teams.hire_team(desk)
    assert composed(desk, MARA, NEXT_MONDAY) is not None
    # She leads nobody herself.
    assert composed(desk, ADA, NEXT_MONDAY) is None


def test_a_director_gets_one_message(desk: Desk) -> None:
    """Of the teams below as totals, although the own reports are too few to be told of."""
    teams.hire_team(desk)
    teams.hire(desk, teams.person(DANA, ""))
    teams.move(desk, MARA, DANA)
    teams.work(desk, dict.fromkeys(TEAM, 100))
    owe(desk)
    assert set(owed(desk)) == {MARA, DANA}
    desk.clock.move(days=3)  # type: ignore[attr-defined]  # the tests' clock
    told = composed(desk, DANA, NEXT_MONDAY)
    assert told is not None
    assert "Mara Quist" in str(told)


def test_a_report_that_is_late_is_of_the_day_on_which_it_goes_out(desk: Desk) -> None:
    """On Thursday it has three days more; a week later the next one is due, and this one is not sent."""
    teams.hire_team(desk)
    desk.clock.move(days=6)  # type: ignore[attr-defined]  # the tests' clock
    teams.work(desk, dict.fromkeys(TEAM, 100))
    assert "16 Nov" in str(composed(desk, MARA, NEXT_MONDAY))
    desk.clock.move(days=5)  # type: ignore[attr-defined]  # the tests' clock
    assert composed(desk, MARA, NEXT_MONDAY) is None


def test_further_east_it_waits_for_the_week_to_be_over(desk: Desk) -> None:
    """At nine in Auckland the programme's Sunday goes on: the report comes when that is over, at noon there."""
    teams.hire(desk, teams.person("ana@example.com", "", zone="Pacific/Auckland"))
    teams.hire(desk, teams.person("r1@example.com", "ana@example.com"))
    owe(desk)
    assert owed(desk)["ana@example.com"] == datetime(2026, 11, 22, 23, tzinfo=UTC)


def test_a_manager_who_left_meanwhile_is_told_nothing(desk: Desk) -> None:
    """Neither by a report that was owed before, nor by asking for one."""
    teams.hire_team(desk)
    owe(desk)
    teams.leave(desk, MARA, date(2026, 11, 22))
    desk.clock.move(days=3)  # type: ignore[attr-defined]  # the tests' clock
    assert composed(desk, MARA, NEXT_MONDAY) is None
    asked = tokens.answer(desk, text="team", slack_user_id="U0MARA", client=WebClient())
    assert "No one reports to you" in str(asked)
