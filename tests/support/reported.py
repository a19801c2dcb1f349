"""Reports of teams, usual and unusual, as views and as messages."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import TYPE_CHECKING

from policy.period import Month, Week
from policy.units import MicroTokens, NanoUSD
from templates import team
from tests.support.letters import CONTACT, ENDLESS, HOSTILE
from views.reports import APART, Jump, MonthAhead, TeamBelow, TeamReport, WeekAhead, WeekOfSpend

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from templates.render import Message

MONDAY = date(2026, 11, 16)
SERVICES = ("Anthropic API", "GPU cluster", APART)


def usd(amount: float) -> NanoUSD:
    return NanoUSD.parse(f"{amount:.2f}")


def weeks(spent: Sequence[Sequence[float]], *, pace: float | None = 900, people: int = 8) -> tuple[WeekOfSpend, ...]:
    """Weeks up to this one, each by service in USD; a token is a cent."""
    first = Week(MONDAY)
    for _ in spent[1:]:
        first = first.previous()
    made = []
    for of_week in spent:
        total = sum(of_week)
        parts = tuple(usd(amount) for amount in of_week)
        grants = None if pace is None else usd(pace)
        made.append(
            WeekOfSpend(first, parts, usd(total), MicroTokens.parse(f"{total * 100:.0f}"), grants, people=people)
        )
        first = first.next()
    return tuple(made)


def hide(told: Sequence[WeekOfSpend], *places: int, why: str = "team_changed") -> tuple[WeekOfSpend, ...]:
    """The weeks, some of them not told."""
    nothing = NanoUSD(0)
    hidden = [
        dataclasses.replace(
            week, usd=tuple(nothing for _ in week.usd), spent=nothing, tokens=MicroTokens(0), pace=None, hidden=why
        )
        for week in told
    ]
    return tuple(hidden[i] if i in {p % len(told) for p in places} else week for i, week in enumerate(told))


def ahead(low: float, middle: float, high: float) -> tuple[WeekAhead, ...]:
    first, coming = Week(MONDAY), []
    for _ in range(4):
        coming.append(WeekAhead(first, usd(low), usd(middle), usd(high)))
        first = first.next()
    return tuple(coming)


_STEADY = [(400 + 11 * i, 250 - 9 * (i % 3), 40 + i) for i in range(11)]
CALM = TeamReport(
    manager_id="per_mara",
    today=date(2026, 11, 20),
    people=8,
    hidden="",
    services=SERVICES,
    weeks=weeks([*_STEADY, (310, 120, 30)]),
    ahead=ahead(640, 790, 960),
    month=MonthAhead(Month(2026, 11), usd(1990), usd(2700), usd(2950), usd(3200), usd(4000)),
    jumps=(),
    idle=None,
    lapsing=None,
    lapses_on=date(2026, 12, 1),
    open_requests=0,
    teams=(),
    teams_hidden=0,
    per_token=NanoUSD.parse("0.01"),
    contact=CONTACT,
)
JUMPING = dataclasses.replace(
    CALM,
    weeks=weeks([*_STEADY[:10], (480, 2_050, 41), (300, 60, 25)]),
    jumps=(Jump("GPU cluster", usd(2_050), usd(241), usd(232), usd(250), 10),),
    idle=MicroTokens.parse("412000.5"),
    lapsing=MicroTokens.parse("98000"),
    open_requests=2,
    stops=3,
)
EMPTY = dataclasses.replace(
    CALM,
    services=(),
    weeks=weeks([()] * 12),
    ahead=(),
    month=MonthAhead(Month(2026, 11), usd(0), None, None, None, usd(4000)),
)
ONE_WEEK = dataclasses.replace(
    CALM,
    weeks=weeks([(0, 0, 0)] * 10 + [(180, 95, 45), (60, 20, 15)], pace=None),
    ahead=(),
    month=MonthAhead(Month(2026, 11), usd(415), None, None, None, None),
)
FELL_SILENT = dataclasses.replace(EMPTY, services=SERVICES, weeks=weeks([*_STEADY[:10], (0, 0, 0), (0, 0, 0)]))
HUGE = dataclasses.replace(
    CALM,
    people=212,
    services=("Anthropic API", "GPU cluster", "OpenAI API", "Google Gemini", "AWS Bedrock", APART),
    weeks=weeks(
        [tuple((1 + i / 10) * part for part in (1.2e6, 8.5e5, 4e5, 9e4, 3e4, 1.1e4)) for i in range(11)]
        + [(1.4e6, 2e5, 4.1e5, 8e4, 2e4, 1e4)],
        pace=4_000_000,
        people=212,
    ),
    ahead=ahead(4.1e6, 4.9e6, 5.9e6),
    month=MonthAhead(Month(2026, 11), usd(1.36e7), usd(1.9e7), usd(2.1e7), usd(2.3e7), usd(2e7)),
)
TINY = dataclasses.replace(
    CALM,
    people=5,
    services=("All services",),
    weeks=weeks([(0.4 + i / 50,) for i in range(12)], pace=200, people=5),
    ahead=ahead(0.3, 0.5, 0.9),
    month=MonthAhead(Month(2026, 11), usd(1.71), usd(2), usd(2.3), usd(2.9), usd(900)),
)
CHANGED = dataclasses.replace(CALM, weeks=hide(CALM.weeks, 4, 5, -2), month=None)
YOUNG = dataclasses.replace(CALM, weeks=hide(CALM.weeks, *range(9), why="few_people"), ahead=(), month=None)
FEW_PEOPLE = dataclasses.replace(CALM, people=3, hidden="few_people", services=(), weeks=(), ahead=(), month=None)
FEW_SPENDERS = dataclasses.replace(FEW_PEOPLE, people=9, hidden="few_spenders")
BELOW = (
    TeamBelow("Leila Haddad", 6, usd(2_143.5), usd(1_994.12), MicroTokens.parse("214350")),
    TeamBelow("Mara Lindqvist", 7, usd(812.4), None, MicroTokens.parse("81240")),
)
DIRECTOR = dataclasses.replace(FEW_PEOPLE, people=4, teams=BELOW, teams_hidden=1)
HEAD = dataclasses.replace(JUMPING, teams=BELOW, teams_hidden=2)


def named(text: str, *, teams: int) -> TeamReport:
    """Everything that has a name has this one."""
    jump = dataclasses.replace(JUMPING.jumps[0], service=text)
    below = tuple(dataclasses.replace(BELOW[0], lead=text) for _ in range(teams))
    return dataclasses.replace(
        JUMPING, services=(text, text, APART), jumps=(jump,) * 3, teams=below, teams_hidden=3, contact=text
    )


CASES: dict[str, Callable[[], Message]] = {
    "weekly": lambda: team.weekly(CALM),
    "weekly_jumping": lambda: team.weekly(JUMPING),
    "weekly_of_nothing": lambda: team.weekly(EMPTY),
    "weekly_of_one_week": lambda: team.weekly(ONE_WEEK),
    "weekly_after_silence": lambda: team.weekly(FELL_SILENT),
    "weekly_of_many": lambda: team.weekly(HUGE),
    "weekly_of_five": lambda: team.weekly(TINY),
    "weekly_team_changed": lambda: team.weekly(CHANGED),
    "weekly_of_a_director": lambda: team.weekly(DIRECTOR),
    "weekly_with_teams_below": lambda: team.weekly(HEAD),
    "weekly_hostile": lambda: team.weekly(named(HOSTILE, teams=3)),
    "team": lambda: team.answer(CALM),
    "team_of_few": lambda: team.answer(FEW_PEOPLE),
    "team_of_few_spenders": lambda: team.answer(FEW_SPENDERS),
    "team_that_is_young": lambda: team.answer(YOUNG),
    "team_hostile": lambda: team.answer(named(HOSTILE, teams=3)),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {
    "weekly": lambda: team.weekly(named(ENDLESS, teams=150)),
    "team": lambda: team.answer(named(ENDLESS, teams=150)),
}
