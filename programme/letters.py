"""What messages say, as frozen views: written to the outbox when they are owed, read again when they are sent.

Amounts and dates survive the way through JSON with their types. (Types are imported at run time here: msgspec reads
the annotations.)
"""

# ruff: noqa: TC001, TC003 - the types of fields are needed at run time

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import msgspec

from policy.period import Month
from policy.reasons import Reason
from policy.sizing import Factors
from policy.units import MicroTokens, NanoUSD

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ending:
    """An amount that ends on a day: `ends_on` is the first day without it."""

    amount: MicroTokens
    ends_on: date


@dataclass(frozen=True, slots=True)
class Statement:
    """A person's grant of a month.

    `settled` went into debt; `carried` was left of earlier grants, after `lapsed` went over the limit into the pool;
    `endings` are the open lots, the new one included, soonest first. `netted` was taken off for a break-glass that the
    board did not ratify.
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


@dataclass(frozen=True, slots=True)
class LapseNotice:
    """What a person will lose if they do not use it.

    `over_limit` lapses on `on` because more is left than is carried over; `endings` are lots that end then.
    """

    on: date
    days: int
    over_limit: MicroTokens
    endings: tuple[Ending, ...]
    contact: str


@dataclass(frozen=True, slots=True)
class Warned:
    """That a person has spent a share of what they can spend in a month; `debt` is what they spent beyond it.

    `earliest` and `lasts_until` are the forecast's: the last day with tokens left, in a bad course and in a usual one.
    `can_tell` is False while it is too early for that; a day that is None is farther than one should look.
    """

    percent: int
    month: Month
    spent: MicroTokens
    left: MicroTokens
    debt: MicroTokens
    per_token: NanoUSD
    can_tell: bool
    earliest: date | None
    lasts_until: date | None
    next_grant_on: date | None
    contact: str


@dataclass(frozen=True, slots=True)
class Portion:
    """A part of a month's spend, such as a service's."""

    name: str
    spent: MicroTokens


@dataclass(frozen=True, slots=True)
class DayOfSpend:
    day: date
    spent: MicroTokens


@dataclass(frozen=True, slots=True)
class Digest:
    """The programme's month for everyone: no person's figure can be read or worked out from it.

    `month` is the one whose grants were posted; spend is that of `before`. Money is at `per_token`. `spent` and what
    follows from it are None where fewer people spent than may be told of; `projects` are those of enough people.
    `used_permille` is spend over entitlement. `rush` says that the last days' share of the spend was out of proportion.
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


@dataclass(frozen=True, slots=True)
class Situation:
    """What a request was judged by, as it was when it was made."""

    monthly_grant: MicroTokens
    available: MicroTokens
    runs_out: date | None
    earlier: MicroTokens
    pool: NanoUSD | None
    value_version: str
    per_token: NanoUSD
    manager: str | None
    sponsor: str | None
    because: tuple[Reason, ...]


def _plain(value: object) -> object:
    if isinstance(value, MicroTokens | NanoUSD):
        return int(value)
    raise NotImplementedError(type(value).__name__)


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def written(letter: object) -> str:
    """The view as JSON text; amounts are whole numbers of their unit."""
    return _encoder.encode(letter).decode()


def plain(letter: object) -> Any:  # noqa: ANN401 - plain values of any shape
    """The view as plain values; amounts are whole numbers of their unit."""
    return msgspec.to_builtins(letter, enc_hook=_plain)


def read(kind: type[T], view: object) -> T:
    """The view again, typed."""
    return msgspec.convert(view, kind, dec_hook=_typed)


def read_factors(view: object) -> Factors:
    """The factors of a grant, as the ledger keeps them."""
    return read(Factors, view)


def _typed(kind: type, value: object) -> object:
    if kind in (MicroTokens, NanoUSD) and isinstance(value, int):
        return kind(value)
    raise NotImplementedError(kind.__name__)
