"""A person's tokens: what is left and until when, how a month went, and the arithmetic behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.kinds import EntryKind, LotKind
from policy.units import MicroTokens
from policy.value.currencies import PAR

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from policy.metering import Meter
    from policy.pace import Outlook
    from policy.period import Month
    from policy.sizing import Factors
    from policy.units import NanoUSD
    from policy.value.currencies import Rate
    from policy.value.valuation import TokenValue


_NOTHING = MicroTokens(0)


@dataclass(frozen=True, slots=True)
class BurnDown:
    """What could be spent at the end of each day of a month so far, and what will be left at the end of those to come.

    `start` is what was there at the month's first instant plus what was granted in it so far. `ahead` is (day, low,
    middle, high), empty while it is too early to tell. Less than nothing is debt. `runs_out` is the last day with
    tokens left in a usual course; None where it is farther than one should look, or nothing can be told.
    """

    month: Month
    today: date
    left: tuple[tuple[date, MicroTokens], ...]
    start: MicroTokens
    ahead: tuple[tuple[date, MicroTokens, MicroTokens, MicroTokens], ...]
    runs_out: date | None


@dataclass(frozen=True, slots=True)
class LotLine:
    """A lot that can be spent from today."""

    kind: LotKind
    reason: str
    amount: MicroTokens
    remaining: MicroTokens
    starts_at: datetime
    expires_at: datetime
    lapses: bool = False
    """It ends before its time, because it is more than can be carried over."""


@dataclass(frozen=True, slots=True)
class Lapse:
    """What lapses on a first, or did and is not taken yet; `on` is the first day without it.

    `left` is what was left of monthly grants that live on, of which `carried_at_most` may be carried over.
    """

    on: date
    amount: MicroTokens
    left: MicroTokens
    carried_at_most: MicroTokens
    at: datetime
    """The instant at which `on` begins: in another zone than the programme's that is another hour."""
    is_past: bool = False


@dataclass(frozen=True, slots=True)
class BalanceCard:
    """Everything the balance says; `services` are (service key, tokens this month), the largest first.

    `outlook` is None while there is no pace, or nothing to spend. `used_before` tells an empty wallet from a new one.
    """

    person_id: str
    name: str
    zone: ZoneInfo
    value: TokenValue
    available: MicroTokens
    granted: MicroTokens
    debt: MicroTokens
    lots: tuple[LotLine, ...]
    coming: tuple[LotLine, ...]
    month: Month
    spent_this_month: MicroTokens
    services: tuple[tuple[str, MicroTokens], ...]
    outlook: Outlook | None
    used_before: bool
    now: datetime
    grant: Factors | None = None
    """What this month's grant follows from."""
    ended: tuple[LotLine, ...] = ()
    """Lots that have ended and are not closed yet: nothing can be spent from them."""
    account_id: int | None = None
    paid_by_company: MicroTokens | None = None
    """For use in the month outside the programme; None where the company never paid for this person."""
    lapse: Lapse | None = None
    """`lots` are as if it had ended each of them: a lot of which a part lapses stands there twice."""
    debt_grants: int | None = None
    """How many monthly grants settle the debt at the present pace; None where no number of them does, or none comes."""
    held: MicroTokens = _NOTHING
    held_calls: int = 0
    """What is held of it, and by how many calls that still run."""
    left_on: date | None = None
    """Their last day, past or to come; `lots` end with it."""

    @property
    def next_grant_on(self) -> date | None:
        """The first of the next month, for those whom the calendar grants and who are still there then."""
        first = self.month.next().first_day
        regular = self.grant is not None or any(lot.kind == LotKind.MONTHLY for lot in self.lots)
        return first if regular and not (self.left_on and self.left_on < first) else None

    @property
    def ends(self) -> tuple[tuple[datetime, MicroTokens], ...]:
        """How much of what is left ends when, the soonest first."""
        found: dict[datetime, MicroTokens] = {}
        for lot in self.lots:
            found[lot.expires_at] = found.get(lot.expires_at, _NOTHING) + lot.remaining
        return tuple(sorted((end, amount) for end, amount in found.items() if amount))

    @property
    def worth(self) -> NanoUSD:
        return self.value.worth(self.available)

    @property
    def rate(self) -> Rate | None:
        """That of the reader's own currency, as this month's grant was made with; None where that is USD."""
        rate = self.grant.rate if self.grant is not None else PAR
        return None if rate == PAR else rate


@dataclass(frozen=True, slots=True)
class MeterLine:
    """count x price of one meter; the price is `nano_usd` for `per` units."""

    meter: Meter
    count: int
    nano_usd: NanoUSD
    per: int


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call: its meters, what they cost, and the tokens that cost became."""

    model: str
    tier: str
    occurred_at: datetime
    price_source: str
    meters: tuple[MeterLine, ...]
    cost: NanoUSD
    debit: MicroTokens


@dataclass(frozen=True, slots=True)
class DebitLine:
    """One debit of the wallet: the calls of a day on one service, of which the latest are worked out."""

    service_key: str
    effective_at: datetime
    amount: MicroTokens
    calls_in_all: int
    value: TokenValue
    calls: tuple[CallLine, ...]
    by_company: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """A balance taken apart: `totals` are what each kind of entry put in, or took if it is negative.

    `paid_by_company` is beside it: for all use outside the programme. `grant` is what the monthly grant of the card's
    month follows from, if there was one.
    """

    card: BalanceCard
    totals: Mapping[EntryKind, MicroTokens]
    balance: MicroTokens
    waiting: MicroTokens
    grant: Factors | None
    debits: tuple[DebitLine, ...]
    paid_by_company: MicroTokens = _NOTHING

    @property
    def parts(self) -> list[tuple[EntryKind, MicroTokens]]:
        """What made up the balance, in the order of the kinds; undone usage is not told apart from usage."""
        of_use = (EntryKind.USAGE, EntryKind.REVERSAL)
        used = sum((self.totals.get(kind, _NOTHING) for kind in of_use), _NOTHING)
        parts = [(kind, self.totals.get(kind, _NOTHING)) for kind in EntryKind if kind not in of_use]
        parts.insert(list(EntryKind).index(EntryKind.USAGE), (EntryKind.USAGE, used))
        return [(kind, amount) for kind, amount in parts if amount]
