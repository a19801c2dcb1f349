"""What managers are told of their teams: right to the cent, and never about fewer than five people."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.period import Month, day_of
from policy.units import NanoUSD
from programme.desk import Desk
from programme.team_report import OTHERS
from store import teams as store
from store.engine import open_database
from store.tables import usage_days
from tests.conftest import ZONE
from tests.support import books, cast, requests, rollout, teams
from tests.support.books import ADA, BEN
from tests.support.clock import Clock
from tests.support.teams import DANA, KIM, LOU, MARA, PIA, TEAM

if TYPE_CHECKING:
    from pathlib import Path

    from programme.team_report import TeamReport

THIS_MONDAY = date(2026, 11, 16)
"""Of the week of the tests' usual Friday."""


def monday(weeks_ago: int) -> date:
    return THIS_MONDAY - timedelta(days=7 * weeks_ago)


def shown(report: TeamReport) -> dict[date, int | str]:
    """What is told of each week: tokens, or why nothing is."""
    return {week.week.first_day: week.hidden or round(int(week.tokens) / 1e6) for week in report.weeks}


def test_every_week_adds_up_to_the_roll_up(desk: Desk) -> None:
    """Twelve weeks of seven people: each total is that of the ledger's days, services and cents included."""
    teams.hire_team(desk)
    teams.work(desk, dict.fromkeys(TEAM, 100))
    teams.work(desk, dict.fromkeys(TEAM, 40), model=cast.GPT)
    report = teams.report(desk)
    assert (report.people, report.hidden) == (7, "")
    assert [week.week.first_day for week in report.weeks] == [monday(n) for n in range(11, -1, -1)]
    assert report.services == ("Anthropic API", "OpenAI API")
    days = usage_days.c
    cost, debit = sa.func.sum(days.cost_nano_usd), sa.func.sum(days.debit_micro_tokens)
    for week in report.weeks:
        query = sa.select(cost, debit).where(days.day >= week.week.first_day, days.day < week.week.next().first_day)
        [(usd, tokens)] = books.rows(desk, query)
        assert (int(week.spent), int(week.tokens)) == (usd, tokens)
        assert sum(int(part) for part in week.usd) == int(week.spent)
    # Four working days of this week are over.
    assert int(report.this_week.spent) * 5 == int(report.last_week.spent) * 4


def test_usage_of_others_is_not_counted(desk: Desk) -> None:
    """What the manager and the next team spend is not in the team's total."""
    teams.hire_team(desk)
    teams.hire(desk, teams.person(PIA, ""))
    teams.work(desk, dict.fromkeys(TEAM, 100) | {MARA: 5_000, PIA: 5_000})
    assert shown(teams.report(desk))[monday(1)] == 3_500


def test_four_people_are_not_told_of(desk: Desk) -> None:
    """A team of four has no figures at all, whatever it spends."""
    teams.hire(desk, teams.person(KIM), teams.person(LOU))
    teams.work(desk, dict.fromkeys((ADA, BEN, KIM, LOU), 100))
    report = teams.report(desk)
    assert (report.hidden, report.people) == ("few_people", 4)
    assert (report.weeks, report.services, report.month, report.ahead, report.jumps) == ((), (), None, (), ())
    assert (report.idle, report.lapsing, report.open_requests) == (None, None, 0)


def test_four_spenders_are_not_told_of(desk: Desk) -> None:
    """A total of seven people of whom four spend is about those four; where nobody spends, there is nothing to hide."""
    teams.hire_team(desk)
    assert teams.report(desk).hidden == ""
    teams.work(desk, dict.fromkeys(TEAM[:4], 100))
    report = teams.report(desk)
    assert (report.hidden, report.weeks) == ("few_spenders", ())


def test_who_has_no_reports_gets_no_report(desk: Desk) -> None:
    """Neither an engineer, nor a manager whose last report has left."""
    assert teams.report_or_none(desk, ADA) is None
    for email in (ADA, BEN):
        teams.leave(desk, email, date(2026, 11, 19))
    desk.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    assert teams.report_or_none(desk, MARA) is None


def test_a_service_of_few_is_told_with_others(desk: Desk) -> None:
    """Two people's training jobs would be theirs alone, so a service of enough people is hidden with them."""
    teams.hire_team(desk)
    teams.work(desk, dict.fromkeys(TEAM, 100))
    teams.work(desk, dict.fromkeys(TEAM[:5], 40), model=cast.GPT)
    teams.work(desk, {ADA: 900, BEN: 10}, model=("gemini", "gemini-2.5-pro"))
    report = teams.report(desk)
    assert report.services == ("Anthropic API", OTHERS)
    week = report.last_week
    assert sum(int(part) for part in week.usd) == int(week.spent)


def test_a_joiner_hides_the_week_and_no_other(desk: Desk) -> None:
    """The week in which one person comes is left out; those before are told without them, those after with them."""
    teams.hire_team(desk)
    teams.hire(desk, teams.person(PIA, ""))
    desk.clock.move(days=-16)  # type: ignore[attr-defined]  # the tests' clock, at a Wednesday
    teams.work(desk, dict.fromkeys((*TEAM, PIA), 100), weeks=4)
    teams.move(desk, PIA, MARA)
    assert shown(teams.report(desk))[monday(2)] == "team_changed"
    desk.clock.move(days=16)  # type: ignore[attr-defined]  # the tests' clock
    teams.work(desk, dict.fromkeys((*TEAM, PIA), 100), weeks=4)
    report = teams.report(desk)
    told = shown(report)
    assert (told[monday(3)], told[monday(2)], told[monday(1)]) == (3_500, "team_changed", 4_000)
    # The month's total would tell of her beside that of the month before.
    assert report.month is None


def test_five_who_come_together_hide_nothing(desk: Desk) -> None:
    """The difference that five people make is about five people."""
    teams.hire(desk, *(teams.person(email, "") for email in TEAM[2:]))
    desk.clock.move(days=-9)  # type: ignore[attr-defined]  # the tests' clock
    teams.work(desk, dict.fromkeys(TEAM, 100), weeks=3)
    for email in TEAM[2:]:
        teams.move(desk, email, MARA)
    desk.clock.move(days=9)  # type: ignore[attr-defined]  # the tests' clock
    teams.work(desk, dict.fromkeys(TEAM, 100), weeks=2)
    told = shown(teams.report(desk))
    # Before, Ada and Ben were alone.
    assert (told[monday(2)], told[monday(1)]) == ("few_people", 3_500)


CROWD = tuple(f"p{number:02}@example.com" for number in range(12))
BEGIN = date(2026, 8, 31)
"""A Monday, and the day before a month begins."""
TESS = "tess@example.com"
LEAST = 5
UNIT = NanoUSD.parse("0.015")
"""A thousand output tokens."""

changes = st.tuples(
    st.integers(1, 9),
    st.sampled_from(("join", "go", "leave")),
    st.lists(st.sampled_from(CROWD), min_size=1, max_size=6, unique=True),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.sampled_from(CROWD), min_size=4), st.lists(changes, min_size=3, max_size=8))
def test_no_two_tellings_differ_by_few(
    settled_sqlite: Path, tmp_path: Path, begin: set[str], moves: list[tuple[int, str, list[str]]]
) -> None:
    """Whoever comes, goes and leaves when: no total and no difference of two tells of one to four people.

    Everybody spends a power of two of their own on each day, so that a total says who is in it.
    """
    path = tmp_path / f"{uuid4().hex}.db"
    shutil.copy(settled_sqlite, path)
    desk = Desk(open_database(f"sqlite:///{path}"), ZONE, Clock(datetime.combine(BEGIN, time(12), UTC)))
    teams.hire(desk, *(teams.person(email, TESS if email in begin else "") for email in CROWD))
    seen: dict[date, list[frozenset[str]]] = {}
    for days, what, who in [*moves, (7, "", [])]:
        note(desk, seen)
        for email in who:
            change(desk, what, email)
        for _ in range(days):
            note(desk, seen)
            spend_a_day(desk)
            desk.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    note(desk, seen)
    desk.database.close()


def spend_a_day(desk: Desk) -> None:
    at, day = desk.clock(), day_of(desk.clock(), desk.zone)
    events = [
        cast.event(f"{who}-{day}", at=at, who=who, meters={"output": 1_000 << number})
        for number, who in enumerate(CROWD)
    ]
    teams.take_in(desk, events)


def change(desk: Desk, what: str, email: str) -> None:
    if what == "leave":
        teams.leave(desk, email, day_of(desk.clock(), desk.zone))
    else:
        teams.move(desk, email, TESS if what == "join" else "-")


def who_spent(usd: NanoUSD, days: int) -> frozenset[str]:
    """Whose spend of so many days a total is."""
    number, rest = divmod(int(usd), days * int(UNIT))
    assert not rest, "a total of different people on different days"
    return frozenset(who for i, who in enumerate(CROWD) if number >> i & 1)


def a_day(people: frozenset[str]) -> int:
    """What some people spend on a day."""
    return sum(int(UNIT) << CROWD.index(who) for who in people)


def note(desk: Desk, seen: dict[date, list[frozenset[str]]]) -> None:
    """Read a report as its reader would who kept all of them."""
    report = teams.report_or_none(desk, TESS)
    if report is None:
        return
    before: frozenset[str] | None = None
    today = day_of(desk.clock(), desk.zone)
    for week in report.weeks:
        days = min((today - week.week.first_day).days, 7)
        if week.hidden or days <= 0 or week.week.first_day < BEGIN:
            before = None
            continue
        people = who_spent(week.spent, days)
        assert len(people) >= LEAST
        assert before is None or len(people ^ before) == 0 or len(people ^ before) >= LEAST
        for earlier in seen.setdefault(week.week.first_day, []):
            assert len(people ^ earlier) == 0 or len(people ^ earlier) >= LEAST
        seen[week.week.first_day].append(people)
        before = people
    if report.month is not None:
        # Its days are those of weeks that are told, by the people of each.
        past = [day for day in report.month.month.days() if BEGIN <= day < today]
        assert int(report.month.spent) == sum(a_day(seen[day - timedelta(days=day.weekday())][-1]) for day in past)


# --- What else is told ---------------------------------------------------------------------------------------------


def test_what_is_left_and_what_lapses(desk: Desk) -> None:
    """Tokens of earlier months, and those whose lots end next, as totals of the whole team."""
    teams.hire_team(desk)
    rollout.launch(desk)
    desk.clock.move(days=-80)  # type: ignore[attr-defined]  # the tests' clock
    for _ in range(81):
        rollout.run_calendar(desk, desk.clock())
        desk.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    report = teams.report(desk)
    assert report.idle is not None
    assert report.lapsing is not None
    held = {who: sum(int(left) for _, left, _ in rollout.open_lots(desk, who)) for who in TEAM}
    new = {who: int(rollout.granted(desk, "2026-11")[who]) for who in TEAM}
    assert int(report.idle) == sum(held.values()) - sum(new.values())
    # In December everybody keeps as much as their November's grant.
    assert int(report.lapsing) == sum(held.values()) - sum(new.values())
    assert report.lapses_on == date(2026, 12, 1)


def test_requests_are_counted(desk: Desk) -> None:
    """How many of the team wait for the board; neither whose, nor what for, nor those of others."""
    desk = requests.convene(desk)
    teams.hire_team(desk)
    assert teams.report(desk).open_requests == 0
    requests.ask(desk, ADA, "500")
    requests.ask(desk, BEN, "500")
    requests.ask(desk, MARA, "500")
    assert teams.report(desk).open_requests == 2


def test_the_month_and_its_share_of_the_grants(desk: Desk) -> None:
    """Spent so far, where it is heading, and how much of what the team was granted that is."""
    teams.hire_team(desk)
    rollout.launch(desk)
    rollout.run_calendar(desk, desk.clock())
    teams.work(desk, dict.fromkeys(TEAM, 1_000))
    month = teams.report(desk).month
    assert month is not None
    assert month.low is not None
    assert month.high is not None
    assert month.month == Month(2026, 11)
    # Fourteen working days of November are over, today is not.
    assert round(int(month.spent) / 1e9) == 7 * 14 * 10
    # Seven more working days, today among them.
    assert int(month.low) <= int(month.spent) * 21 / 14 * 1.001
    assert int(month.high) >= int(month.spent) * 21 / 14 * 0.999
    granted = sum(int(rollout.granted(desk, "2026-11")[who]) for who in TEAM)
    spent = sum(
        int(day)
        for (day,) in books.rows(
            desk, sa.select(usage_days.c.debit_micro_tokens).where(usage_days.c.day >= date(2026, 11, 1))
        )
    )
    assert month.used_permille == spent * 1_000 // granted


def test_the_pace_of_the_grants_is_rounded(desk: Desk) -> None:
    """What the grants come to in a week has two digits: nobody's grant is the difference of two of them."""
    teams.hire_team(desk)
    rollout.launch(desk)
    rollout.run_calendar(desk, desk.clock())
    report = teams.report(desk)
    pace = report.this_week.pace
    assert pace is not None
    granted = sum(int(rollout.granted(desk, "2026-11")[who]) for who in TEAM) / 1e6 * 0.01
    assert abs(int(pace) / 1e9 - granted * 7 / 30) <= granted * 7 / 30 * 0.05
    assert len(f"{int(pace)}".rstrip("0")) <= 2
    # Nothing was granted before November.
    assert report.weeks[0].pace is None


def test_an_unusual_week_is_told(desk: Desk) -> None:
    """Eight times the usual stands out, with what is usual; a calm team has nothing to report."""
    teams.hire_team(desk)
    teams.work(desk, dict.fromkeys(TEAM, 100))
    assert teams.report(desk).jumps == ()
    teams.take_in(desk, [teams.used(monday(1) + timedelta(days=5), who, 3_500) for who in TEAM])
    [jump] = teams.report(desk).jumps
    assert (jump.service, jump.weeks) == ("Anthropic API", 10)
    assert int(jump.low) == int(jump.usual) == int(jump.high)
    assert round(int(jump.spent) / int(jump.usual), 1) == 8


def test_teams_below_are_totals(desk: Desk) -> None:
    """A director's own reports are two, so untold; the team below is one line, and one of four people is none."""
    teams.hire_team(desk)
    teams.hire(desk, teams.person(DANA, ""), teams.person(PIA, DANA))
    teams.move(desk, MARA, DANA)
    few = [f"few{number}@example.com" for number in range(4)]
    teams.hire(desk, *(teams.person(email, PIA) for email in few))
    teams.work(desk, dict.fromkeys((*TEAM, *few), 100))
    report = teams.report(desk, DANA)
    assert (report.hidden, report.people, report.teams_hidden) == ("few_people", 2, 1)
    [team] = report.teams
    assert (team.lead, team.people) == ("Mara Quist", 7)
    assert round(int(team.tokens) / 1e6) == 3_500
    assert team.before == team.spent
    # A team leaves by one: neither week can be told beside the other.
    assert [line.lead for line in teams.report(desk, DANA).teams] == ["Mara Quist"]


def test_managers_are_those_of_today(desk: Desk) -> None:
    """Whoever has a report on a day; who had one, or will have one, is none."""
    assert _managers(desk) == {MARA}
    teams.move(desk, BEN, ADA)
    assert _managers(desk) == {MARA, ADA}
    teams.move(desk, BEN, "-")
    teams.leave(desk, ADA, _today(desk) + timedelta(days=1))
    assert _managers(desk) == {MARA}
    desk.clock.move(days=2)  # type: ignore[attr-defined]  # the tests' clock
    assert _managers(desk) == set()


def _managers(desk: Desk) -> set[str]:
    ids = {cast.person_id(desk, email): email for email in (MARA, ADA, BEN)}
    with desk.reading() as session:
        return {ids[one] for one in store.managers(session, _today(desk))}


def _today(desk: Desk) -> date:
    return day_of(desk.clock(), desk.zone)
