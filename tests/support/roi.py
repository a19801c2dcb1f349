"""Reports of the return for messages, pictures and pages: invented teams, drawn by lot, with a planted effect."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING

from policy import handbook
from policy.parameters.roi import Cost
from policy.period import Month
from policy.roi import report
from policy.roi.report import Basis, TeamMonth, TeamWeek
from policy.roi.spread import Draws
from policy.units import MICRO_PER_TOKEN, NANO_PER_USD, NanoUSD
from templates import roi as words
from views.roi import FrozenReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from policy.parameters.roi import RoiRules
    from policy.roi.report import Report
    from templates.render import Message

LAUNCH, THROUGH = Month(2027, 1), Month(2028, 3)
STARTS = (0, 4, 6, 8)
RULES: RoiRules = replace(
    handbook.parse(handbook.packaged()).roi,
    costs=(
        Cost("consulting", NanoUSD(40_000 * NANO_PER_USD), "once", date(2026, 11, 1)),
        Cost("administration", NanoUSD(1_000 * NANO_PER_USD), "month", date(2027, 1, 1)),
    ),
)
DRAWS = Draws(most=400)


@dataclass(frozen=True, slots=True)
class Planted:
    """How many teams, how much more they make once they take part, and how uneven their months are."""

    teams: int = 24
    effect: float = 0.20
    noise: float = 0.08
    through: Month = THROUGH
    by_lot: bool = True
    at_once: bool = False
    """Everybody joins at the launch."""
    missing: tuple[tuple[str, int], ...] = ()


@cache
def made(planted: Planted) -> Report:
    basis = Basis(str(planted.through), str(LAUNCH), "2027.1", planted.by_lot, planted.missing)
    return report.of(basis, rows(planted), RULES, DRAWS, weeks(planted))


def rows(planted: Planted) -> list[TeamMonth]:
    chance = random.Random(11)  # noqa: S311 - work, not secrets
    found, month = [], LAUNCH.plus(-6)
    levels = [chance.uniform(3_000, 9_000) for _ in range(planted.teams)]
    lot = [i % len(STARTS) for i in range(planted.teams)]
    chance.shuffle(lot)
    while month.first_day <= planted.through.first_day:
        for team, level in enumerate(levels):
            start = LAUNCH if planted.at_once else LAUNCH.plus(STARTS[lot[team]])
            begun = month.first_day >= start.first_day
            more = 1 + planted.effect if begun else 1.0
            made_now = round(5 * 4 * level * more * (1 + planted.noise * chance.uniform(-2, 2)))
            spent = chance.randrange(1_500, 3_000) * begun
            found.append(
                TeamMonth(
                    f"per_{team:03}",
                    str(month),
                    made_now,
                    4,
                    5_000,
                    5_000 * begun,
                    spent * 98_000_000,
                    spent * NANO_PER_USD,
                    5 * 140_000 * NANO_PER_USD * begun,
                )
            )
        month = month.next()
    return found


def weeks(planted: Planted) -> list[TeamWeek]:
    """Half a year in which output follows tokens two weeks later, if the teams are there long enough."""
    chance = random.Random(12)  # noqa: S311 - work, not secrets
    mondays = [date(2027, 9, 6) + timedelta(days=7 * i) for i in range(26)]
    found = []
    for team in range(planted.teams):
        tokens = [chance.randrange(1_000, 9_000) for _ in mondays]
        made_then = [4 * tokens[max(0, i - 2)] + chance.randrange(2_000) for i in range(len(mondays))]
        for monday, spent, output in zip(mondays, tokens, made_then, strict=True):
            found.append(TeamWeek(f"per_{team:03}", monday.isoformat(), output, spent * MICRO_PER_TOKEN))
    return found


def shown(planted: Planted) -> FrozenReport:
    return FrozenReport(
        made(planted), RULES, datetime(2028, 4, 3, 9, tzinfo=UTC), "cli:ops", f"{planted.teams:064x}", is_kept=True
    )


PAYS = Planted()
SPANS = Planted(effect=0.0, noise=0.20)
COSTS_MORE = Planted(effect=-0.25)
MANY_MISSING = Planted(missing=(("events_quarantined", 12), ("outcomes_waiting", 340), ("people_without_midpoint", 3)))
SOME_TEAMS = Planted(teams=10)
FEW_TEAMS = Planted(teams=6)
ALL_AT_ONCE = Planted(at_once=True)
KINDS = {
    "pays": PAYS,
    "not-established": SPANS,
    "does-not-pay": COSTS_MORE,
    "missing": MANY_MISSING,
    "ten-teams": SOME_TEAMS,
    "six-teams": FEW_TEAMS,
    "all-at-once": ALL_AT_ONCE,
}
CASES: dict[str, Callable[[], Message]] = {
    f"roi_{name.replace('-', '_')}": partial(lambda planted: words.message(shown(planted)), planted)
    for name, planted in KINDS.items()
}
