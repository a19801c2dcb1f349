"""What a manager is told of their team's spend: one frozen view for the message, the chart, the answer and Home.

Nothing in it lets a reader work out what fewer than five people spent (docs/decisions/0013).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from policy.period import Month, Week
    from policy.units import MicroTokens, NanoUSD

WEEKS = 12
AHEAD = 4
"""Weeks of a forecast: this one as a whole, and three more."""
APART, EVERYTHING = "Not told apart", "All services"


@dataclass(frozen=True, slots=True)
class WeekOfSpend:
    """A week's spend by the services of the report, in their order; `usd` is empty while it is not told apart.

    `hidden` says why nothing is told of it ("few_people", "few_spenders", "team_changed"); the amounts are 0 then.
    `pace` is what the team's grants come to in a week, to one digit. `people` were in the team at the week's end;
    `same_team` says that they were those of the last week that is over.
    """

    week: Week
    usd: tuple[NanoUSD, ...]
    spent: NanoUSD
    tokens: MicroTokens
    pace: NanoUSD | None
    hidden: str = ""
    people: int = 0
    same_team: bool = True


@dataclass(frozen=True, slots=True)
class WeekAhead:
    """What a week is expected to cost: nine courses of ten end between `low` and `high`."""

    week: Week
    low: NanoUSD
    middle: NanoUSD
    high: NanoUSD


@dataclass(frozen=True, slots=True)
class MonthAhead:
    """The month: spent so far, what it will come to, and what the team's grants are worth, to one digit.

    The forecast is None while it is too early to tell; the grants, where they would tell of few.
    """

    month: Month
    spent: NanoUSD
    low: NanoUSD | None
    middle: NanoUSD | None
    high: NanoUSD | None
    granted: NanoUSD | None


@dataclass(frozen=True, slots=True)
class Jump:
    """A service ("" for all of them) whose last week is far from its `usual` ones, between `low` and `high`."""

    service: str
    spent: NanoUSD
    usual: NanoUSD
    low: NanoUSD
    high: NanoUSD
    weeks: int


@dataclass(frozen=True, slots=True)
class TeamBelow:
    """The team of one of the own reports, with everyone below: totals of the last week and of the one before."""

    lead: str
    people: int
    spent: NanoUSD
    before: NanoUSD | None
    tokens: MicroTokens


@dataclass(frozen=True, slots=True)
class TeamReport:
    """A manager's own reports, and the teams below them as totals.

    `weeks` are the last twelve, oldest first; the last one is this week, which is not over. `services` are largest
    first; the last of them may be APART, the only one EVERYTHING. `hidden` says why no figure of the own reports is
    told ("few_people", "few_spenders"): then everything of them is empty. `ahead` is empty while it is too early to
    tell. `idle` are tokens of earlier months that are left, `lapsing` those that will be gone on `lapses_on` if no one
    spends them; None where they would tell of few, or where there are none. `teams_hidden` counts teams below of which
    nothing is told. `stops` is how often caps stopped members in the last week that is over, if that week is told.
    `as_of` is of when all of it is, where that is not now, in the programme's zone. No figure is of fewer than `least`.
    """

    manager_id: str
    today: date
    people: int
    hidden: str
    services: tuple[str, ...]
    weeks: tuple[WeekOfSpend, ...]
    ahead: tuple[WeekAhead, ...]
    month: MonthAhead | None
    jumps: tuple[Jump, ...]
    idle: MicroTokens | None
    lapsing: MicroTokens | None
    lapses_on: date
    open_requests: int
    teams: tuple[TeamBelow, ...]
    teams_hidden: int
    per_token: NanoUSD
    contact: str
    stops: int = 0
    as_of: datetime | None = None
    least: int = 5

    @property
    def is_told_apart(self) -> bool:
        """Whether any service is of enough people to be named."""
        return self.services not in {(), (EVERYTHING,)}

    @property
    def this_week(self) -> WeekOfSpend:
        return self.weeks[-1]

    @property
    def last_week(self) -> WeekOfSpend:
        """The last week that is over."""
        return self.weeks[-2]

    @property
    def week_before(self) -> WeekOfSpend:
        return self.weeks[-3]
