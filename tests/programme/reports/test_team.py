"""What managers are told of their teams: right to the cent, and never about fewer than five people."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.period import Month, day_of
from policy.units import MicroTokens, NanoUSD
from programme.app import App
from programme.grants import monthly
from programme.people import teams as roster
from programme.people import terms
from store.engine import open_database
from store.holds import cash
from store.holds.cash import Stop
from store.people import directory as people_store
from store.people import teams as store
from store.tables.usage import usage_days
from templates import team
from tests.conftest import ZONE
from tests.support import books, cast, depth, requests, rollout, teams
from tests.support.books import ADA, BEN
from tests.support.clock import Clock
from tests.support.teams import DANA, KIM, LOU, MARA, NED, PIA, TEAM
from views.reports import APART

if TYPE_CHECKING:
    from pathlib import Path

    from views.reports import TeamReport

GEMINI = ("gemini", "gemini-2.5-pro")
THIS_MONDAY = date(2026, 11, 16)
"""Of the week of the tests' usual Friday."""


def monday(weeks_ago: int) -> date:
    return THIS_MONDAY - timedelta(days=7 * weeks_ago)


def shown(report: TeamReport) -> dict[date, int | str]:
    """What is told of each week: tokens, or why nothing is."""
    return {week.week.first_day: week.hidden or round(int(week.tokens) / 1e6) for week in report.weeks}


def test_every_week_adds_up_to_the_roll_up(app: App) -> None:
    """Twelve weeks of seven people: each total is that of the ledger's days, services and cents included."""
    teams.hire_team(app)
    teams.work(app, dict.fromkeys(TEAM, 100))
    teams.work(app, dict.fromkeys(TEAM, 40), model=cast.GPT)
    report = teams.report(app)
    assert (report.people, report.hidden) == (7, "")
    assert [week.week.first_day for week in report.weeks] == [monday(n) for n in range(11, -1, -1)]
    assert report.services == ("Anthropic API", "OpenAI API")
    days = usage_days.c
    cost, debit = sa.func.sum(days.cost_nano_usd), sa.func.sum(days.debit_micro_tokens)
    for week in report.weeks:
        query = sa.select(cost, debit).where(days.day >= week.week.first_day, days.day < week.week.next().first_day)
        [(usd, tokens)] = books.rows(app, query)
        assert (int(week.spent), int(week.tokens)) == (usd, tokens)
        assert not week.usd or sum(int(part) for part in week.usd) == int(week.spent)
    # Four working days of this week are over.
    assert int(report.this_week.spent) * 5 == int(report.last_week.spent) * 4


def test_the_handbook_says_how_many_a_figure_is_of(sqlite_app: App) -> None:
    """Seven people are too few where it says eight, and the report carries that number to its words."""
    rollout.launch(sqlite_app, changes={"least_people = 5": "least_people = 8"})
    teams.hire_team(sqlite_app)
    teams.work(sqlite_app, dict.fromkeys(TEAM, 100))
    report = teams.report(sqlite_app)
    assert (report.people, report.hidden, report.least) == (7, "few_people", 8)


def test_usage_of_others_is_not_counted(app: App) -> None:
    """What the manager and the next team spend is not in the team's total."""
    teams.hire_team(app)
    teams.hire(app, teams.person(PIA, ""))
    teams.work(app, dict.fromkeys(TEAM, 100) | {MARA: 5_000, PIA: 5_000})
    assert shown(teams.report(app))[monday(1)] == 3_500


def test_four_people_are_not_told_of(app: App) -> None:
    """A team of four has no figures at all, whatever it spends."""
    teams.hire(app, teams.person(KIM), teams.person(LOU))
    teams.work(app, dict.fromkeys((ADA, BEN, KIM, LOU), 100))
    report = teams.report(app)
    assert (report.hidden, report.people) == ("few_people", 4)
    assert (report.weeks, report.services, report.month, report.ahead, report.jumps) == ((), (), None, (), ())
    assert (report.idle, report.lapsing, report.open_requests) == (None, None, 0)


def test_four_spenders_are_not_told_of(app: App) -> None:
    """A total of seven people of whom four spend is about those four; where no one spends, there is nothing to hide."""
    teams.hire_team(app)
    assert shown(teams.report(app))[monday(1)] == 0
    teams.work(app, dict.fromkeys(TEAM[:4], 100))
    report = teams.report(app)
    assert (report.hidden, report.weeks) == ("few_spenders", ())


def test_a_quiet_week_is_not_told_of(app: App) -> None:
    """Everyone used tokens for weeks, in the last one Ada alone: neither its total nor the month's is told."""
    teams.hire_team(app)
    days = [monday(n) + timedelta(days=i) for n in range(9, 1, -1) for i in range(5)]
    teams.take_in(app, [teams.used(day, who, 100) for day in days for who in TEAM])
    teams.take_in(app, [teams.used(monday(1), ADA, 12_345)])
    report = teams.report(app)
    assert shown(report)[monday(2)] == 3_500
    assert report.last_week.hidden == "few_spenders"
    assert (report.last_week.spent, report.month, report.jumps) == (NanoUSD(0), None, ())


def test_a_monday_with_one_early_bird(app: App) -> None:
    """What one person has spent since midnight is not told as the week so far; the month is told until Sunday."""
    teams.hire_team(app)
    teams.work(app, dict.fromkeys(TEAM, 100))
    app.clock.move(days=3)  # type: ignore[attr-defined]  # the tests' clock
    teams.take_in(app, [teams.used(date(2026, 11, 20), who, 100) for who in TEAM])
    before = teams.report(app).month
    teams.take_in(app, [teams.used(date(2026, 11, 23), ADA, 12_345)])
    report = teams.report(app)
    assert report.this_week.hidden == "few_spenders"
    assert report.month == before
    assert report.month is not None
    assert round(int(report.month.spent) / 1e9) == 7 * 15


def test_who_has_no_reports_gets_no_report(app: App) -> None:
    """Neither an engineer, nor a manager whose last report has left."""
    assert teams.report_or_none(app, ADA) is None
    for email in (ADA, BEN):
        teams.leave(app, email, date(2026, 11, 19))
    app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    assert teams.report_or_none(app, MARA) is None


def test_a_service_of_few_is_told_with_others(app: App) -> None:
    """Two people's training jobs would be theirs alone, so a service of enough people is hidden with them."""
    teams.hire_team(app)
    teams.work(app, dict.fromkeys(TEAM, 100))
    teams.work(app, dict.fromkeys(TEAM[:5], 40), model=cast.GPT)
    teams.work(app, {ADA: 900, BEN: 10}, model=GEMINI)
    report = teams.report(app)
    assert report.services == ("Anthropic API", APART)
    week = report.last_week
    assert sum(int(part) for part in week.usd) == int(week.spent)
    # This week is not told apart at all before it is over.
    assert report.this_week.usd == ()
    assert report.this_week.spent


def test_a_service_is_judged_in_each_week(app: App) -> None:
    """What Ada alone used first is hidden with others in that week, also after five more have tried it."""
    teams.hire_team(app)
    teams.work(app, dict.fromkeys(TEAM, 100))
    teams.work(app, dict.fromkeys(TEAM, 30), model=cast.GPT)
    teams.take_in(app, [teams.used(monday(4), ADA, 700, model=GEMINI)])
    before = teams.report(app)
    teams.take_in(app, [teams.used(monday(1), who, 50, model=GEMINI) for who in TEAM])
    after = teams.report(app)
    assert "Google Gemini" not in before.services
    assert "Google Gemini" in after.services

    def told(report: TeamReport, service: str) -> int:
        [week] = [week for week in report.weeks if week.week.first_day == monday(4)]
        return int(dict(zip(report.services, week.usd, strict=True))[service])

    assert told(after, "Google Gemini") == 0
    assert told(before, APART) == told(after, APART) > 0


def test_a_joiner_hides_the_week_and_no_other(app: App) -> None:
    """The week in which one person comes is left out; those before are told without them, those after with them."""
    teams.hire_team(app)
    teams.hire(app, teams.person(PIA, ""))
    app.clock.move(days=-16)  # type: ignore[attr-defined]  # the tests' clock, at a Wednesday
    teams.work(app, dict.fromkeys((*TEAM, PIA), 100), weeks=4)
    teams.move(app, PIA, MARA)
    assert shown(teams.report(app))[monday(2)] != "team_changed"
    app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    assert shown(teams.report(app))[monday(2)] == "team_changed"
    app.clock.move(days=15)  # type: ignore[attr-defined]  # the tests' clock
    teams.work(app, dict.fromkeys((*TEAM, PIA), 100), weeks=4)
    report = teams.report(app)
    told = shown(report)
    assert (told[monday(3)], told[monday(2)], told[monday(1)]) == (3_500, "team_changed", 4_000)
    # The month's total would tell of her beside that of the month before.
    assert report.month is None


def test_five_who_come_together_hide_nothing(app: App) -> None:
    """The difference that five people make is about five people."""
    teams.hire(app, *(teams.person(email, "") for email in TEAM[2:]))
    app.clock.move(days=-9)  # type: ignore[attr-defined]  # the tests' clock
    teams.work(app, dict.fromkeys(TEAM, 100), weeks=3)
    for email in TEAM[2:]:
        teams.move(app, email, MARA)
    app.clock.move(days=9)  # type: ignore[attr-defined]  # the tests' clock
    teams.work(app, dict.fromkeys(TEAM, 100), weeks=2)
    told = shown(teams.report(app))
    # Before, Ada and Ben were alone.
    assert (told[monday(2)], told[monday(1)]) == ("few_people", 3_500)


CROWD = tuple(f"p{number:02}@example.com" for number in range(12))
BEGIN = date(2026, 8, 31)
"""A Monday, and the day before a month begins."""
TESS, LEAST = "tess@example.com", 5
UNIT = NanoUSD.parse("0.015")
"""A thousand output tokens."""

changes = st.tuples(
    st.integers(0, 9),
    st.sampled_from(("join", "go", "leave")),
    st.lists(st.sampled_from(CROWD), min_size=1, max_size=6, unique=True),
    st.sets(st.sampled_from(CROWD), max_size=6),
)


class Reader:
    """A manager who keeps every report, and compares each total with all others of the same week."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._days: dict[date, set[str]] = {}
        self._seen: dict[date, list[frozenset[str]]] = {}

    def spend_a_day(self, idle: set[str]) -> None:
        """Everyone but some spends a power of two of their own, so that a total says who is in it."""
        at, day = self._app.clock(), day_of(self._app.clock(), self._app.zone)
        with self._app.database.reading() as session:
            left_on = {who: person.left_on for who in CROWD if (person := people_store.by_email(session, who))}
        # What someone uses after leaving is posted to no one.
        self._days[day] = {who for who, left in left_on.items() if who not in idle and (left is None or day <= left)}
        teams.take_in(
            self._app,
            [
                cast.event(f"{who}-{day}", at=at, who=who, meters={"output": 1_000 << number})
                for number, who in enumerate(CROWD)
                if who in self._days[day]
            ],
        )

    def read(self) -> None:
        report = teams.report_or_none(self._app, TESS)
        if report is None:
            return
        before: frozenset[str] | None = None
        for week in report.weeks:
            # Totals from before there was any spend are no one's.
            people = None if week.hidden or not week.spent else self._members(week.week.first_day, week.spent)
            if people is not None:
                active = {who for who in people if any(who in self._days.get(day, ()) for day in week.week.days())}
                assert not 0 < len(active) < LEAST
                assert before is None or apart(people, before)
                assert all(apart(people, earlier) for earlier in self._seen.setdefault(week.week.first_day, []))
                self._seen[week.week.first_day].append(people)
            before = people
        if report.month is not None and report.month.spent:
            assert not 0 < len(self._spenders(report.month.month, report)) < LEAST

    def _members(self, monday: date, usd: NanoUSD) -> frozenset[str]:
        """Whose spend of a week a total is; the sums of all groups differ, as each day's do."""
        days = [day for day in (monday + timedelta(days=i) for i in range(7)) if day in self._days]
        rest = int(usd) // int(UNIT)
        assert rest * int(UNIT) == int(usd)
        worth = {who: sum(who in self._days[day] for day in days) << i for i, who in enumerate(CROWD)}
        with self._app.database.reading() as session:
            lines = store.lines_below(session, cast.person_id(self._app, TESS))
        now = day_of(self._app.clock(), self._app.zone)
        found = roster.reports_of(lines, cast.person_id(self._app, TESS), min(monday + timedelta(days=6), now))
        emails = {cast.person_id(self._app, who): who for who in CROWD}
        members = frozenset(emails[one] for one in found)
        assert rest == sum(worth[who] for who in members), "the total is not that of the week's members"
        return members

    def _spenders(self, month: Month, report: TeamReport) -> set[str]:
        told = [week for week in report.weeks if not week.hidden]
        days = [day for week in told for day in week.week.days() if month.contains(day)]
        return {who for day in days for who in self._days.get(day, ())}


def apart(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether the difference of two totals is about no one, or about enough people."""
    return not 0 < len(one ^ other) < LEAST


@settings(max_examples=depth.examples(10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.sampled_from(CROWD), min_size=4), st.lists(changes, min_size=3, max_size=8))
def test_no_two_tellings_differ_by_few(
    settled_sqlite: Path, tmp_path: Path, begin: set[str], moves: list[tuple[int, str, list[str], set[str]]]
) -> None:
    """Whoever comes, goes, leaves, or spends nothing, when and how often a day: no total tells of one to four people.

    Neither does its difference to the week before, or to what was told of the same week at any time before.
    """
    path = tmp_path / f"{uuid4().hex}.db"
    shutil.copy(settled_sqlite, path)
    app = App(open_database(f"sqlite:///{path}"), ZONE, Clock(datetime.combine(BEGIN, time(12), UTC)))
    teams.hire(app, *(teams.person(email, TESS if email in begin else "") for email in CROWD))
    reader = Reader(app)
    for days, what, who, idle in [*moves, (7, "", [], set())]:
        reader.read()
        for email in who:
            change(app, what, email)
        for _ in range(days):
            reader.read()
            reader.spend_a_day(idle)
            reader.read()
            app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    reader.read()
    app.database.close()


def change(app: App, what: str, email: str) -> None:
    if what == "leave":
        teams.leave(app, email, day_of(app.clock(), app.zone))
    else:
        teams.move(app, email, TESS if what == "join" else "-")


def test_what_is_imported_today_counts_from_tomorrow(app: App) -> None:
    """Six come in several steps, one by mistake: today's total stays as it was, and tomorrow there is one new team."""
    teams.hire(app, *(teams.person(who, "") for who in TEAM[2:]), teams.person(PIA, ""))
    teams.work(app, dict.fromkeys((*TEAM, PIA), 100))
    for who in (*TEAM[2:], PIA):
        teams.move(app, who, MARA)
        assert teams.report(app).people == 2
    teams.move(app, PIA, "-")
    app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    after = teams.report(app)
    assert (after.people, after.this_week.hidden) == (7, "")


def test_who_left_yesterday_and_who_goes_today_are_told_apart(app: App) -> None:
    """Five leave, and the day after one more goes: no two totals of that week differ by that one person."""
    more = [f"n{number}@example.com" for number in range(6)]
    teams.hire_team(app)
    teams.hire(app, *(teams.person(who) for who in more))
    teams.work(app, dict.fromkeys((*TEAM, *more), 100))
    for who in more[:5]:
        teams.leave(app, who, day_of(app.clock(), app.zone))
    told = [teams.report(app)]
    app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    told.append(teams.report(app))
    teams.move(app, more[5], "-")
    told.append(teams.report(app))
    app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    told.append(teams.report(app))
    assert [(one.people, one.this_week.hidden) for one in told] == [
        (13, ""),
        (8, ""),
        (8, ""),
        (7, "team_changed"),
    ]


def test_what_is_left_is_not_told_around_a_change(app: App) -> None:
    """Six come on Thursday, one leaves on Friday: her idle tokens are not the difference of two totals."""
    rollout.launch(app)
    teams.hire_team(app)
    more = [f"n{number}@example.com" for number in range(6)]
    teams.hire(app, *(teams.person(who, "") for who in more))
    for _ in range(40):
        rollout.run_calendar(app, app.clock())
        app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    teams.work(app, dict.fromkeys((*TEAM, *more), 10))
    assert teams.report(app).idle is not None
    for who in more:
        teams.move(app, who, MARA)
    app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    assert teams.report(app).idle is not None
    teams.move(app, more[0], "-")
    app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    assert teams.report(app).idle is None


def test_different_teams_are_not_compared(app: App) -> None:
    """Seven grow to nineteen at once: the new week is told, as no rise, as nothing unusual, and without forecast."""
    teams.hire_team(app)
    more = [f"n{number:02}@example.com" for number in range(12)]
    teams.hire(app, *(teams.person(who, "") for who in more))
    teams.work(app, dict.fromkeys((*TEAM, *more), 100))
    for who in more:
        teams.move(app, who, MARA)
    app.clock.move(days=7)  # type: ignore[attr-defined]  # the tests' clock
    teams.work(app, dict.fromkeys((*TEAM, *more), 100), weeks=2)
    report = teams.report(app)
    assert (report.week_before.people, report.last_week.people) == (7, 19)
    assert not report.week_before.same_team
    assert team.change(report) is None
    assert (report.jumps, report.ahead, report.month) == ((), (), None)


# --- What else is told ---------------------------------------------------------------------------------------------


def test_what_is_left_and_what_lapses(app: App) -> None:
    """Tokens of earlier months, and those whose lots end next, as totals of the whole team."""
    teams.hire_team(app)
    rollout.launch(app)
    app.clock.move(days=-80)  # type: ignore[attr-defined]  # the tests' clock
    for _ in range(81):
        rollout.run_calendar(app, app.clock())
        app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    report = teams.report(app)
    assert report.idle is not None
    assert report.lapsing is not None
    held = {who: sum(int(left) for _, left, _ in rollout.open_lots(app, who)) for who in TEAM}
    new = {who: int(rollout.granted(app, "2026-11")[who]) for who in TEAM}
    assert int(report.idle) == sum(held.values()) - sum(new.values())
    # In December everyone keeps as much as their November's grant.
    assert int(report.lapsing) == sum(held.values()) - sum(new.values())
    assert report.lapses_on == date(2026, 12, 1)


@pytest.mark.parametrize("away", [False, True])
def test_what_is_told_to_lapse_is_what_lapses(sqlite_app: App, *, away: bool) -> None:
    """Also when one of the team is away from mid-November: no grant in December, so nothing of theirs lapses."""
    app = sqlite_app
    teams.hire_team(app)
    rollout.launch(app, changes=rollout.UNANNOUNCED)
    if away:
        with app.transaction() as moment:
            terms.set_leave(moment, KIM, date(2026, 11, 15), None, actor="test")
    for month in (Month(2026, 10), Month(2026, 11)):
        grant(app, month)
    told = teams.report(app).lapsing
    before, of_kim = held(app), held(app, KIM)
    grant(app, Month(2026, 12))
    assert told == MicroTokens((before - held(app)).total()) > 0
    assert (held(app, KIM) == of_kim) == away


def grant(app: App, month: Month) -> None:
    with app.transaction(datetime.combine(month.first_day, time(9), UTC)) as moment:
        monthly.run(moment, month)


def held(app: App, *people: str) -> Counter[str]:
    """What is left of the team's grants, by month."""
    left: Counter[str] = Counter()
    for who in people or TEAM:
        left.update({reason: int(amount) for reason, amount, _ in rollout.open_lots(app, who)})
    return left


def test_requests_are_counted(app: App) -> None:
    """How many of the team wait for the board; neither whose, nor what for, nor those of others."""
    app = requests.convene(app)
    teams.hire_team(app)
    app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    assert teams.report(app).open_requests == 0
    requests.ask(app, ADA, "500")
    requests.ask(app, BEN, "500")
    requests.ask(app, MARA, "500")
    assert teams.report(app).open_requests == 2


def test_no_month_that_began_in_a_week_of_which_nothing_is_told(app: App, clock: Clock) -> None:
    """On Wednesday, 2 December, Ada alone has spent something since Monday: November isn't shown as this month."""
    teams.hire_team(app)
    clock.now = datetime(2026, 11, 30, 9, tzinfo=UTC)
    teams.work(app, dict.fromkeys(TEAM, 100))
    told = teams.report(app).month
    assert told is not None
    assert told.month == Month(2026, 11)
    clock.now = datetime(2026, 12, 2, 9, tzinfo=UTC)
    teams.take_in(app, [teams.used(date(2026, 12, 1), ADA, 100)])
    report = teams.report(app)
    assert report.this_week.hidden == "few_spenders"
    assert report.month is None
    assert report.ahead


def test_no_month_in_which_too_few_have_spent_yet(app: App, clock: Clock) -> None:
    """All seven spent on Monday, 30 November, and two of them on the day after: the week is told, December isn't."""
    teams.hire_team(app)
    clock.now = datetime(2026, 11, 30, 9, tzinfo=UTC)
    teams.work(app, dict.fromkeys(TEAM, 100))
    clock.now = datetime(2026, 12, 2, 9, tzinfo=UTC)
    teams.take_in(app, [teams.used(date(2026, 11, 30), who, 100) for who in TEAM])
    for number, who in enumerate(TEAM, 1):
        teams.take_in(app, [teams.used(date(2026, 12, 1), who, 100)])
        report = teams.report(app)
        assert report.this_week.hidden == ""
        assert (report.month is not None) == (number >= LEAST)


def test_the_month_and_its_share_of_the_grants(app: App) -> None:
    """Spent so far, where it is heading, and how much of what the team was granted that is."""
    teams.hire_team(app)
    rollout.launch(app)
    rollout.run_calendar(app, app.clock())
    teams.work(app, dict.fromkeys(TEAM, 1_000))
    month = teams.report(app).month
    assert month is not None
    assert month.low is not None
    assert month.high is not None
    assert month.month == Month(2026, 11)
    # Fourteen working days of November are over, today is not.
    assert round(int(month.spent) / 1e9) == 7 * 14 * 10
    # Seven more working days, today among them.
    assert int(month.low) <= int(month.spent) * 21 / 14 * 1.001
    assert int(month.high) >= int(month.spent) * 21 / 14 * 0.999
    granted = sum(int(rollout.granted(app, "2026-11")[who]) for who in TEAM) / 1e6 * 0.01
    assert month.granted is not None
    assert int(month.granted) / 1e9 == float(f"{granted:.0e}")


def test_the_pace_of_the_grants_has_one_digit(app: App) -> None:
    """What the grants come to in a week is so coarse that one person more or less is within its rounding."""
    teams.hire_team(app)
    rollout.launch(app)
    rollout.run_calendar(app, app.clock())
    report = teams.report(app)
    pace = report.this_week.pace
    assert pace is not None
    granted = sum(int(rollout.granted(app, "2026-11")[who]) for who in TEAM) / 1e6 * 0.01
    assert int(pace) / 1e9 == float(f"{granted * 7 / 30:.0e}")
    # Nothing was granted before November.
    assert report.weeks[0].pace is None


def test_an_unusual_week_is_told(app: App) -> None:
    """Eight times the usual stands out, with what is usual; a calm team has nothing to report."""
    teams.hire_team(app)
    teams.work(app, dict.fromkeys(TEAM, 100))
    assert teams.report(app).jumps == ()
    teams.take_in(app, [teams.used(monday(1) + timedelta(days=5), who, 3_500) for who in TEAM])
    [jump] = teams.report(app).jumps
    assert (jump.service, jump.weeks) == ("Anthropic API", 10)
    assert int(jump.low) == int(jump.usual) == int(jump.high)
    assert round(int(jump.spent) / int(jump.usual), 1) == 8


def test_teams_below_are_totals(app: App) -> None:
    """A director's own reports are two, so untold; the team below is one line, and one of four people is none."""
    few = [f"few{number}@example.com" for number in range(4)]
    teams.hire_team(app)
    teams.hire(app, teams.person(DANA, ""), teams.person(PIA, DANA), *(teams.person(who, PIA) for who in few))
    teams.move(app, MARA, DANA)
    teams.work(app, dict.fromkeys((*TEAM, *few), 100))
    report = teams.report(app, DANA)
    assert (report.hidden, report.people, report.teams_hidden) == ("few_people", 2, 1)
    [below] = report.teams
    assert (below.lead, below.people) == ("Mara Quist", 7)
    assert round(int(below.tokens) / 1e6) == 3_500
    assert below.before == below.spent


def test_who_led_within_a_team_is_not_the_difference_of_two(app: App) -> None:
    """Ned led six within Mara's team, and comes to report to Dana: of the week before, his team has no total."""
    six = [f"s{number}@example.com" for number in range(6)]
    teams.hire(app, teams.person(DANA, ""), teams.person(NED), *(teams.person(who, NED) for who in six))
    teams.move(app, MARA, DANA)
    teams.work(app, dict.fromkeys((*six, NED, ADA, BEN), 100))
    assert [(line.lead, line.people) for line in teams.report(app, DANA).teams] == [("Mara Quist", 9)]
    teams.move(app, NED, DANA)
    assert [(line.lead, line.people) for line in teams.report(app, DANA).teams] == [("Mara Quist", 9)]


def test_managers_are_those_of_today(app: App) -> None:
    """Whoever has a report on a day; who had one, or will have one, is none."""
    assert _managers(app) == {MARA}
    teams.move(app, BEN, ADA)
    assert _managers(app) == {MARA, ADA}
    teams.leave(app, ADA, _today(app) + timedelta(days=1))
    app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    teams.move(app, BEN, "-")
    assert _managers(app) == {MARA}
    app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    assert _managers(app) == set()


def _managers(app: App) -> set[str]:
    ids = {cast.person_id(app, email): email for email in (MARA, ADA, BEN)}
    with app.database.reading() as session:
        return {ids[one] for one in store.managers(session, _today(app))}


def _today(app: App) -> date:
    return day_of(app.clock(), app.zone)


def test_how_often_a_team_was_stopped_and_never_whom(app: App) -> None:
    """Stops of last week's members in last week count; none are told where the week is not."""
    teams.hire_team(app)
    teams.work(app, dict.fromkeys(TEAM, 100))
    at = [datetime.combine(monday(1), time(hour), UTC) for hour in (9, 10)]
    stops = [Stop("a", cast.person_id(app, ADA), "Day", 1, at[0]), Stop("b", cast.person_id(app, BEN), "Day", 1, at[1])]
    others = [stops[0]._replace(key="c", stopped_at=at[0] - timedelta(days=7))]
    others.append(stops[0]._replace(key="d", person_id=cast.person_id(app, MARA)))
    with app.transaction() as moment:
        for stop in (*stops, *others):
            cash.note_stop(moment.session, stop)
    assert teams.report(app).stops == 2
    with app.database.transaction() as session:
        others_days = (usage_days.c.day >= monday(1), usage_days.c.account_id != books.account_id(app, ADA))
        session.execute(sa.delete(usage_days).where(*others_days))
    assert teams.report(app).last_week.hidden == "few_spenders"
    assert teams.report(app).stops == 0
