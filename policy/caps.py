"""Which caps a call meets, and whether it may run: the tightest that it does not fit decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from policy.parameters.holds import SCOPES, SLOW, STOP, WALLET, WARN
from policy.period import Month, Week, first_instant
from policy.reasons import Reason
from policy.rollout import phase
from policy.units import MicroTokens, NanoUSD
from policy.value.valuation import worth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from policy.handbook import Handbook
    from policy.parameters.holds import CapRule, HoldRules

STOPPED, CHEAPER_ONLY = "cap_reached", "cheaper_model_only"
WALLET_EMPTY = "wallet_empty"
WIDTH = {scope: width for width, scope in enumerate((WALLET, *SCOPES))}
"""A wallet is as narrow as can be."""
NEVER = 4
"""The phase from which a wallet stops calls where it never does."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a call is counted: who, for which service, in whose team, for which project; empty where there is none."""

    person_id: str
    service: str
    team: str = ""
    """The id of the manager."""
    team_email: str = ""
    project: str = ""


@dataclass(frozen=True, slots=True, order=True)
class SumKey:
    """What a running sum is of: the spend of one of a scope in a day, week or month that begins on `first_day`."""

    scope: str
    key: str
    window: str
    first_day: date


class Reserved(NamedTuple):
    """What running calls hold: at most, and as much as such calls usually cost (docs/decisions/0053)."""

    most: int = 0
    likely: int = 0

    def plus(self, other: Reserved) -> Reserved:
        return Reserved(self.most + other.most, self.likely + other.likely)

    def less(self, other: Reserved) -> Reserved:
        return Reserved(self.most - other.most, self.likely - other.likely)

    def up_to(self, amount: int) -> Reserved:
        """The part of it that so much use takes."""
        return Reserved(min(self.most, amount), min(self.likely, amount))


@dataclass(frozen=True, slots=True)
class Standing:
    """A cap as one call meets it: what of it is used and held, in USD, and whether what is asked for fits.

    `key` is that of its running sum; None for the wallet, whose room is counted in tokens.
    """

    name: str
    scope: str
    window: str
    action: str
    limit: NanoUSD
    used: NanoUSD
    held: NanoUSD
    resets_at: datetime | None
    fits: bool
    key: SumKey | None = None
    slow_to: str = ""
    subject: str = ""
    """Which service, project or team it is about."""
    services: tuple[str, ...] = ()
    """The only services that it stops, where it says so."""

    @property
    def left(self) -> NanoUSD:
        return self.limit - self.used - self.held

    @property
    def tightness(self) -> tuple[int, int, str]:
        """The least that is left first; of equal ones the narrower scope."""
        return (int(self.left), WIDTH[self.scope], self.name)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a call may run; the cap that says no; and those that it does not fit and that only warn."""

    stopped_by: Standing | None
    code: str
    warnings: tuple[Standing, ...]
    because: tuple[Reason, ...]

    @property
    def is_admitted(self) -> bool:
        return self.stopped_by is None


def decide(standings: Iterable[Standing], cheap_enough: Mapping[str, bool]) -> Decision:
    """Whether a call may run that meets these caps.

    `cheap_enough` says for each class that a `slow` cap names whether the call's model costs no more than it.
    """
    over = sorted((one for one in standings if not one.fits), key=lambda one: one.tightness)
    denying = [one for one in over if _denies(one, cheap_enough)]
    because = tuple(_reason(one, cheap_enough) for one in over)
    if not denying:
        return Decision(None, "", tuple(over), because)
    first = denying[0]
    code = CHEAPER_ONLY if first.action == SLOW else WALLET_EMPTY if first.scope == WALLET else STOPPED
    return Decision(first, code, tuple(one for one in over if one not in denying), because)


def _denies(one: Standing, cheap_enough: Mapping[str, bool]) -> bool:
    return one.action == STOP or (one.action == SLOW and not cheap_enough.get(one.slow_to, False))


def _reason(one: Standing, cheap_enough: Mapping[str, bool]) -> Reason:
    does = "stops it" if _denies(one, cheap_enough) else "lets it pass"
    figures = {name: f"{getattr(one, name).decimal.normalize():f}" for name in ("limit", "used", "held")}
    return Reason(f"over_{one.scope}", f"it does not fit the cap {one.name!r}, which {does}", figures)


def applying(caps: Sequence[CapRule], scope: Scope, day: date) -> list[tuple[CapRule, SumKey]]:
    """The caps of a handbook that a call meets on a day, each with the sum that it is judged by."""
    return [
        (_as_met(cap, scope), SumKey(cap.scope, key, cap.window, first_day_of(cap.window, day)))
        for cap in caps
        if (key := key_of(cap.scope, scope)) is not None and _is_meant(cap, scope)
    ]


def _as_met(cap: CapRule, where: Scope) -> CapRule:
    """A cap that stops some services only warns the others."""
    return replace(cap, action=WARN) if cap.services and where.service not in cap.services else cap


def key_of(scope: str, where: Scope) -> str | None:
    """What a call counts under in a scope; None where it is in none of that kind."""
    keys = {
        "person": where.person_id,
        "person_service": where.person_id and f"{where.person_id}/{where.service}",
        "team": where.team,
        "project": where.project,
        "service": where.service,
    }
    return "" if scope == "programme" else keys[scope] or None


def _is_meant(cap: CapRule, where: Scope) -> bool:
    named = ((cap.service, where.service), (cap.project, where.project), (cap.team.lower(), where.team_email))
    return all(wanted in {"", own} for wanted, own in named)


def first_day_of(window: str, day: date) -> date:
    """The day on which the window began that a day lies in."""
    if window == "day":
        return day
    return Week.containing(day).first_day if window == "week" else Month.containing(day).first_day


def resets_at(window: str, day: date, zone: ZoneInfo) -> datetime:
    """When the window that a day lies in is over."""
    return first_instant(days_of(window, day)[-1] + timedelta(days=1), zone)


def days_of(window: str, day: date) -> tuple[date, ...]:
    """Every day of the window that a day lies in."""
    if window == "day":
        return (day,)
    period = Week.containing(day) if window == "week" else Month.containing(day)
    return tuple(period.days())


def standing_of(cap: CapRule, key: SumKey, *, used: NanoUSD, held: NanoUSD, asked: NanoUSD, zone: ZoneInfo) -> Standing:
    """A cap of the handbook as a call meets it that asks for so much."""
    return Standing(
        name=cap.name,
        scope=cap.scope,
        window=cap.window,
        action=cap.action,
        limit=cap.usd,
        used=used,
        held=held,
        resets_at=resets_at(cap.window, key.first_day, zone),
        fits=used + held + asked <= cap.usd,
        key=key,
        slow_to=cap.slow_to,
        subject=cap.service or cap.project or cap.team,
        services=cap.services,
    )


@dataclass(frozen=True, slots=True)
class Purse:
    """A wallet as a call meets it: what can be spent now, what is held of it, what it may go below zero by."""

    balance: MicroTokens
    held: MicroTokens
    overdraft: MicroTokens

    @property
    def available(self) -> MicroTokens:
        """What calls can still take before the wallet is at zero."""
        return self.balance - self.held

    @property
    def room(self) -> MicroTokens:
        return self.available + self.overdraft


def wallet_standing(purse: Purse, *, asked: MicroTokens, per_token: NanoUSD, stops: bool) -> Standing:
    """The cap that everyone has by themselves. It has no window: what lifts it is more tokens."""
    return Standing(
        name=WALLET,
        scope=WALLET,
        window="balance",
        action=STOP if stops else WARN,
        limit=worth(purse.balance + purse.overdraft, per_token),
        used=NanoUSD(0),
        held=worth(purse.held, per_token),
        resets_at=None,
        fits=asked <= purse.room,
    )


def wallet_stops(book: Handbook, today: date) -> bool:
    """Whether an empty wallet stops a call, or only warns."""
    reached = phase(Month.containing(today), book.rollout) or 0
    return book.holds.stops_from_phase < NEVER and reached >= book.holds.stops_from_phase


def overdraft(rules: HoldRules, grant: MicroTokens, per_token: NanoUSD) -> MicroTokens:
    """What a wallet may go below zero by: a share of the monthly grant, but at least so many USD."""
    least = -(-int(rules.overdraft_least_usd) * MicroTokens.scale // int(per_token))
    return MicroTokens(max(int(Fraction(rules.overdraft_share) * int(grant)), least))
