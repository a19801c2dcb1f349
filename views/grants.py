"""What people are told about the grants of a month, each for themselves, and all together.

(Types of fields are imported at run time: msgspec reads the annotations.)
"""

# ruff: noqa: TC001, TC003 - the types of fields are needed at run time

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from policy.period import Month
from policy.sizing import Factors
from policy.units import MicroTokens, NanoUSD


@dataclass(frozen=True, slots=True)
class Ending:
    """An amount that ends on a day: `ends_on` is the first day without it."""

    amount: MicroTokens
    ends_on: date


@dataclass(frozen=True, slots=True)
class Statement:
    """A person's grant of a month.

    `settled` went into debt; `carried` was left of earlier grants, after `lapsed` went over the limit into the pool;
    `endings` are the lots that were open then, the new one included, soonest first: what is left of them is asked when
    the statement goes out. `netted` was taken off for a break-glass that the
    board did not ratify. `taken_on` is when `lapsed` is taken, if late usage may burn it until then.
    """

    month: Month
    name: str
    factors: Factors
    worth: NanoUSD
    settled: MicroTokens
    carried: MicroTokens
    lapsed: MicroTokens
    endings: tuple[Ending, ...]
    contact: str
    netted: MicroTokens = field(default_factory=lambda: MicroTokens(0))
    taken_on: date | None = None
    person_id: str = ""


@dataclass(frozen=True, slots=True)
class LapseNotice:
    """What a person will lose if they do not use it, `days` from now.

    `over_limit` lapses on `on` because more is left than is carried over; `endings` are lots that end then.
    """

    on: date
    days: int
    over_limit: MicroTokens
    endings: tuple[Ending, ...]
    contact: str
    person_id: str = ""


@dataclass(frozen=True, slots=True)
class Revocation:
    """What was taken back of a lot that was given at an instant, for something, and why."""

    person_id: str
    amount: MicroTokens
    given_at: datetime
    given_for: str
    reason: str
    contact: str


@dataclass(frozen=True, slots=True)
class Portion:
    """A part of a month's spend, such as a service's."""

    name: str
    spent: MicroTokens


@dataclass(frozen=True, slots=True)
class DayOfSpend:
    """What was spent on a day; an `evened` one stands at the mean of all days of few spenders."""

    day: date
    spent: MicroTokens
    evened: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """The programme's month for everyone: no person's figure can be read or worked out from it.

    `month` is the one whose grants were posted; spend is that of `before`. Money is at `per_token`. `spent` and what
    follows from it are None where fewer people spent than may be told of; `projects` are those of enough people.
    `used_permille` is spend over entitlement. `rush` says that the last days' share of the spend was out of proportion.
    `lapsed` is taken on `taken_on`, as far as late usage leaves it. `weekday_before` is what an average weekday took a
    month earlier, to two digits; None where too few people spent then, or nothing was told of that month.
    """

    month: Month
    before: Month
    people: int
    granted: MicroTokens
    per_token: NanoUSD
    entitled: NanoUSD
    spent: MicroTokens | None
    services: tuple[Portion, ...]
    kinds: tuple[Portion, ...]
    projects: tuple[Portion, ...]
    carried: MicroTokens
    lapsed: MicroTokens
    used_permille: int | None
    rush: bool
    rush_days: int
    days: tuple[DayOfSpend, ...]
    contact: str
    taken_on: date | None = None
    weekday_before: MicroTokens | None = None
