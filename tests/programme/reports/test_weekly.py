"""Each manager is owed one report a week, on the morning of their own Monday, and none that says nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from slack_sdk import WebClient

from handlers import slack_app
from policy.period import Week
from programme import handbooks
from programme.handbook import applying
from programme.reports import weekly
from programme.reports.weekly import WhoseWeek
from scheduler import messages as composing
from scheduler import tick
from store.tables.outbox import outbox
from store.tables.people import people
from tests.support import books, cast, rollout, teams
from tests.support.books import ADA
from tests.support.teams import DANA, MARA, PIA, TEAM
from views import codec

if TYPE_CHECKING:
    from programme.app import App

NEXT_MONDAY = date(2026, 11, 23)


def owed(app: App) -> dict[str, datetime]:
    """Who is owed a report, and when it goes out."""
    query = sa.select(people.c.email, outbox.c.due_at).join(people, people.c.id == outbox.c.person_id)
    return dict(books.rows(app, query.where(outbox.c.template == weekly.TEMPLATE)))


def owe(app: App, monday: date = NEXT_MONDAY) -> int:
    with app.transaction() as moment:
        return weekly.owe(moment, Week(monday))


def composed(app: App, manager: str, monday: date) -> object:
    view = codec.plain(WhoseWeek(cast.person_id(app, manager), monday))
    return composing.compose(weekly.TEMPLATE, view, app=app)


def test_monday_morning_is_everybodys_own(app: App) -> None:
    """Nine o'clock in Tokyo, Berlin and New York; Tuesday where Monday is a holiday for all."""
    teams.hire(
        app,
        teams.person("aki@example.com", "", zone="Asia/Tokyo"),
        teams.person(PIA, "", zone="America/New_York"),
        teams.person("r1@example.com", "aki@example.com"),
        teams.person("r2@example.com", PIA),
    )
    assert owe(app) == 3
    assert owed(app) == {
        MARA: datetime(2026, 11, 23, 8, tzinfo=UTC),
        "aki@example.com": datetime(2026, 11, 23, 0, tzinfo=UTC),
        PIA: datetime(2026, 11, 23, 14, tzinfo=UTC),
    }


def test_a_holiday_moves_it_to_the_next_working_day(app: App) -> None:
    """The bot writes on working days only."""
    text = books.handbook_text("2026.3", date(2026, 11, 2)).replace("holidays = []", "holidays = [2026-11-23]")
    with app.transaction() as moment:
        applying.apply(moment, text, actor=handbooks.SYSTEM)
    owe(app)
    assert owed(app) == {MARA: datetime(2026, 11, 24, 8, tzinfo=UTC)}


def test_the_calendar_owes_each_week_once(app: App) -> None:
    """Ticks of two weeks: a report for each Monday, none twice; the weeks of an outage are past."""
    teams.hire_team(app)
    rollout.launch(app)
    for _ in range(4 * 14):
        rollout.run_calendar(app, app.clock())
        app.clock.move(hours=6)  # type: ignore[attr-defined]  # the tests' clock
    keys = {key for (key,) in books.rows(app, sa.select(outbox.c.key).where(outbox.c.template == weekly.TEMPLATE))}
    mara = cast.person_id(app, MARA)
    assert keys == {f"weekly:2026-W48:{mara}", f"weekly:2026-W49:{mara}"}
    app.clock.move(days=21)  # type: ignore[attr-defined]  # the tests' clock
    done = tick.tick(app, now=app.clock()).done
    assert [run.period for run in done if run.job == "weekly"] == ["2026-W50", "2026-W51", "2026-W52"]
    assert set(owed(app)) == {MARA}
    assert len(rollout.owed(app, weekly.TEMPLATE)) == 3


def test_leavers_and_people_without_reports_are_owed_nothing(app: App) -> None:
    """Mara left, and no one else leads anybody."""
    teams.leave(app, MARA, date(2026, 11, 19))
    assert owe(app) == 0


def test_what_cannot_be_told_is_not_sent(app: App) -> None:
    """A team of two has no figures: its manager is not written to every week to read that; one of seven is."""
    app.clock.move(days=3)  # type: ignore[attr-defined]  # the tests' clock
    assert composed(app, MARA, NEXT_MONDAY) is None
    teams.hire_team(app)
    assert composed(app, MARA, NEXT_MONDAY) is not None
    # She leads no one herself.
    assert composed(app, ADA, NEXT_MONDAY) is None


def test_a_director_gets_one_message(app: App) -> None:
    """Of the teams below as totals, although the own reports are too few to be told of."""
    teams.hire_team(app)
    teams.hire(app, teams.person(DANA, ""))
    teams.move(app, MARA, DANA)
    teams.work(app, dict.fromkeys(TEAM, 100))
    owe(app)
    assert set(owed(app)) == {MARA, DANA}
    app.clock.move(days=3)  # type: ignore[attr-defined]  # the tests' clock
    told = composed(app, DANA, NEXT_MONDAY)
    assert told is not None
    assert "Mara Quist" in str(told)


def test_a_report_that_is_late_is_of_the_day_on_which_it_goes_out(app: App) -> None:
    """On Thursday it has three days more; a week later the next one is due, and this one is not sent."""
    teams.hire_team(app)
    app.clock.move(days=6)  # type: ignore[attr-defined]  # the tests' clock
    teams.work(app, dict.fromkeys(TEAM, 100))
    assert "16 Nov" in str(composed(app, MARA, NEXT_MONDAY))
    app.clock.move(days=5)  # type: ignore[attr-defined]  # the tests' clock
    assert composed(app, MARA, NEXT_MONDAY) is None


def test_further_east_it_waits_for_the_week_to_be_over(app: App) -> None:
    """At nine in Auckland the programme's Sunday goes on: the report comes when that is over, at noon there."""
    teams.hire(app, teams.person("ana@example.com", "", zone="Pacific/Auckland"))
    teams.hire(app, teams.person("r1@example.com", "ana@example.com"))
    owe(app)
    assert owed(app)["ana@example.com"] == datetime(2026, 11, 22, 23, tzinfo=UTC)


def test_a_manager_who_left_meanwhile_is_told_nothing(app: App) -> None:
    """Neither by a report that was owed before, nor by asking for one."""
    teams.hire_team(app)
    owe(app)
    teams.leave(app, MARA, date(2026, 11, 22))
    app.clock.move(days=3)  # type: ignore[attr-defined]  # the tests' clock
    assert composed(app, MARA, NEXT_MONDAY) is None
    asked = slack_app.COMMANDS.answer(app, text="team", slack_user_id="U0MARA", client=WebClient())
    assert "You left on" in str(asked)
