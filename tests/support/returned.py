"""A company nine months after its launch: thirteen teams in four waves drawn by lot, some of which do more."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy import rollout as rollout_rules
from policy.outcomes import OutcomeReport
from policy.period import Month, Week, first_instant
from programme.outcomes import intake
from programme.people import directory, terms
from programme.usage import intake as usage_intake
from store.tables.people import people
from tests.support import books, cast, played, rollout, teams

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

LAUNCH = date(2026, 2, 1)
STARTS = {1: Month(2026, 2), 2: Month(2026, 6), 3: Month(2026, 8), 4: Month(2026, 10)}
FIRST_OUTCOME = date(2025, 7, 28)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DRAWN = datetime(2026, 1, 15, 9, tzinfo=UTC)
TEAMS, SIZE, MORE = 12, 2, 1.3
BASE, NOISE = 4_000, 0.08
SEED = "4"
TOKENS = 5_000
"""Of each person who takes part, a month."""


def members(team: int) -> list[str]:
    return [f"r{team}p{i}@example.com" for i in range(SIZE)]


def settle(app: App, clock: Clock, *, effect: float = MORE) -> None:
    """Hire, draw waves, launch, deliver and use; it is November."""

    def play() -> None:
        clock.now = NOW
        rollout.launch(app, on=LAUNCH)
        teams.hire(app, *(_manager(team) for team in range(TEAMS)))
        teams.hire(app, *(teams.person(who, f"r{t}@example.com") for t in range(TEAMS) for who in members(t)))
        with app.transaction(DRAWN) as moment:
            terms.draw_waves(moment, seed="a lot", actor="test")
        cast.hire(app, f"email,wave\n{_the_same_lot()}")
        _deliver(app, effect)
        _use(app)

    played.once(app, f"returned {effect}", play)
    clock.now = NOW


def _manager(team: int) -> str:
    return teams.person(f"r{team}@example.com", "").replace(",engineering,", ",management,")


def _the_same_lot() -> str:
    """The waves of a lot by the number of the team: ids, by whose order lots fall, are others in each run."""
    drawn = rollout_rules.draw(dict.fromkeys([f"{team:02}" for team in range(TEAMS + 1)], SIZE), len(STARTS), SEED)
    who = {**{f"{team:02}": members(team) for team in range(TEAMS)}, f"{TEAMS:02}": teams.TEAM[:2]}
    return "".join(f"{one},{drawn[team]}\n" for team, some in who.items() for one in some)


def waves(app: App) -> dict[str, int]:
    """The wave of each person, by e-mail."""
    return dict(books.rows(app, sa.select(people.c.email, people.c.wave).where(people.c.wave.is_not(None))))


def starts(app: App) -> dict[int, Month]:
    """When each team begins."""
    drawn = waves(app)
    return {team: STARTS[drawn[members(team)[0]]] for team in range(TEAMS)}


def _deliver(app: App, effect: float) -> None:
    """A piece of work a week of each team, and of Mara's; larger once its wave has begun."""
    chance = random.Random(7)  # noqa: S311 - work, not secrets
    begun = starts(app) | {TEAMS: STARTS[waves(app)[teams.TEAM[0]]]}
    told = []
    for team, start in begun.items():
        level = BASE * (0.6 + 0.1 * (team % 8))
        day = FIRST_OUTCOME
        while day < NOW.date():
            month = Month.containing(Week.containing(day).first_day + timedelta(days=3))
            more = effect if month.first_day >= start.first_day else 1.0
            figure = round(level * more * (1 + NOISE * chance.uniform(-1, 1)))
            at = datetime.combine(day, time(10), UTC)
            told.append(OutcomeReport("tracker", f"{team}-{day}", "task", at, f"team{team}", "shop", figure=figure))
            day += timedelta(days=7)
    with app.transaction() as moment:
        for team in range(TEAMS + 1):
            who = members(team)[0] if team < TEAMS else teams.TEAM[0]
            directory.map_identity(moment, source="tracker", kind="user", value=f"team{team}", email=who, actor="test")
        intake.take_in(moment, told)


def _use(app: App) -> None:
    """Everyone who takes part uses some tokens in the middle of each month."""
    for team, start in starts(app).items():
        month = start
        while month.first_day < NOW.date().replace(day=1):
            day = month.first_day.replace(day=14)
            events = [teams.used(day, who, TOKENS) for who in members(team)]
            with app.transaction(first_instant(day, app.zone) + timedelta(hours=15)) as moment:
                taken = usage_intake.take_in(moment, events)
            assert {one.status for one in taken} == {"accepted"}
            month = month.next()
