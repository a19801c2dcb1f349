"""The caps that a call meets, each with what is used and held of it, under lock until the transaction ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from policy import caps
from policy.parameters.holds import PERSON, PERSON_SERVICE, PROGRAMME, STOP, WARN
from policy.period import first_instant
from policy.units import MicroTokens, NanoUSD
from policy.value.valuation import worth
from programme.holds import in_force, purses
from programme.usage import cap_sums as sums
from store.holds import records
from store.holds import sums as sums_store
from store.ledger import ledger
from views.holds import CapTold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from policy.caps import Decision, Scope, Standing, SumKey
    from policy.parameters.holds import CapRule
    from policy.value.valuation import TokenValue
    from programme.holds.pricing import Buyer
    from programme.holds.purses import Purse
    from programme.moment import Moment
    from store.holds.sums import Sum


OWN = (PERSON, PERSON_SERVICE)
"""Scopes of caps that are lifted by what is credited to their person."""
PLENTY = NanoUSD.parse("1000")
"""What is taken to be left where no cap could deny a call."""


@dataclass(frozen=True)
class Meeting:
    """What someone's calls meet; `purse` is None where the company pays."""

    moment: Moment
    buyer: Buyer
    value: TokenValue
    met: tuple[tuple[CapRule, SumKey], ...]
    sums: Mapping[SumKey, Sum]
    purse: Purse | None
    stops: bool

    @cached_property
    def _passes_cash(self) -> bool:
        return in_force.passes_cash(self.moment, self.buyer.person_id)

    @cached_property
    def _lifted(self) -> list[tuple[datetime, int]]:
        since = min(key.first_day for cap, key in self.met if cap.scope in OWN)
        return in_force.lifted(self.moment, self.buyer.person_id, since)

    def _as_met(self, cap: CapRule, key: SumKey, cost: NanoUSD) -> CapRule:
        """A person's own cap with what was credited to them in its window; everyone's as it is for them.

        What the whole programme may spend stops nobody at work on an incident; that is asked only where it would.
        """
        if cap.scope in OWN:
            begin = first_instant(key.first_day, self.moment.zone)
            credited = MicroTokens(sum(amount for at, amount in self._lifted if at >= begin))
            return replace(cap, usd=cap.usd + worth(credited, self.value.per_token)) if credited else cap
        over = self.sums[key].used + self.sums[key].held + int(cost) > int(cap.usd)
        if cap.scope == PROGRAMME and cap.action != WARN and over and self._passes_cash:
            return replace(cap, action=WARN, slow_to="")
        return cap

    def standings(self, cost: NanoUSD) -> list[Standing]:
        """Each cap as a call meets it that may cost so much."""
        found = [
            caps.standing_of(
                self._as_met(cap, key, cost),
                key,
                used=NanoUSD(self.sums[key].used),
                held=NanoUSD(self.sums[key].held),
                asked=cost,
                zone=self.moment.zone,
            )
            for cap, key in self.met
        ]
        if self.purse is not None:
            asked, per_token = self.value.debit(cost), self.value.per_token
            found.append(caps.wallet_standing(self.purse.caps, asked=asked, per_token=per_token, stops=self.stops))
        return found

    def decide(self, cost: NanoUSD, cheap: Mapping[str, bool]) -> Decision:
        return caps.decide(self.standings(cost), cheap)

    def take(self, cost: NanoUSD, tokens: MicroTokens) -> None:
        """Hold so much on the account and in every sum: what stops is looked at once more by each update itself."""
        least = None
        if self.purse is not None and self.stops:
            least = self.purse.kept_back - int(self.purse.caps.overdraft)
        records.take(self.moment.session, self.buyer.account_id, int(tokens), least)
        for key in sorted(self.sums):
            met = [self._as_met(cap, of, cost) for cap, of in self.met if of == key]
            limits = [int(cap.usd) for cap in met if cap.action == STOP]
            sums_store.take(self.moment.session, key, int(cost), min(limits, default=None))

    def least_left(self) -> NanoUSD:
        """The least that any cap leaves which could deny a call."""
        denying = [one for one in self.standings(NanoUSD(0)) if one.action != WARN]
        return min((one.left for one in denying), default=PLENTY, key=int)

    def told(self, one: Standing) -> CapTold:
        room = self.purse.caps.room if self.purse is not None and one.key is None else None
        return CapTold(
            one.name,
            one.scope,
            one.window,
            one.action,
            one.limit,
            one.used,
            one.held,
            one.resets_at,
            subject=one.subject,
            room_tokens=room,
            services=one.services,
        )


def under_lock(moment: Moment, buyer: Buyer, value: TokenValue, scopes: Iterable[Scope]) -> Meeting:
    """Lock the account, then the sums."""
    if buyer.is_wallet:
        purse = purses.locked(moment, buyer, value)
    else:
        purse = None
        ledger.lock(moment.session, [buyer.account_id])
    met = _met(moment, scopes)
    return _meeting(moment, buyer, value, met, sums.hold(moment, [key for _, key in met]), purse)


def seen(moment: Moment, buyer: Buyer, value: TokenValue, scopes: Iterable[Scope]) -> Meeting:
    """The same for who only looks: nothing is locked, and no sum is made."""
    purse = purses.seen(moment, buyer, value) if buyer.is_wallet else None
    met = _met(moment, scopes)
    return _meeting(moment, buyer, value, met, sums.look(moment, [key for _, key in met]), purse)


def _meeting(  # noqa: PLR0917 - private, called twice
    moment: Moment,
    buyer: Buyer,
    value: TokenValue,
    met: tuple[tuple[CapRule, SumKey], ...],
    held: Mapping[SumKey, Sum],
    purse: Purse | None,
) -> Meeting:
    return Meeting(moment, buyer, value, met, held, purse, caps.wallet_stops(moment.handbook, moment.today))


def _met(moment: Moment, scopes: Iterable[Scope]) -> tuple[tuple[CapRule, SumKey], ...]:
    """Each cap once, wherever its calls may go."""
    known = in_force.caps(moment)
    found = (pair for scope in scopes for pair in caps.applying(known, scope, moment.today))
    return tuple(dict.fromkeys(found))
