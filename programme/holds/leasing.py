"""Leases: a small part of what someone has, with which a gateway decides on their calls by itself for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from policy import estimates
from policy.caps import Reserved
from policy.parameters.holds import SLOW
from policy.period import Quarter
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from programme.holds import meeting, pricing, reserving
from programme.usage import cap_sums as sums
from programme.usage.rating import Rating
from programme.value import valuation
from store.holds import records
from store.holds.records import HELD, LEASE, Hold
from store.ledger import recalls
from views import codec
from views.holds import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.metering import Identities, Price
    from programme.holds.meeting import Meeting
    from programme.holds.reserving import Held
    from programme.holds.usual import UsualCalls
    from programme.moment import Moment

PACE = timedelta(minutes=10)
"""What someone spent in this time says how much they need in a lease's."""
Model = tuple[str, str]
"""A provider and a model."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a gateway wants a lease for."""

    source: str
    id: str
    identities: Identities
    models: tuple[Model, ...]
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Priced:
    """A model that a lease is for, with what its gateway needs to know to decide by itself."""

    provider: str
    model: str
    price: Price
    output: int


@dataclass(frozen=True, slots=True)
class Leased:
    """A lease, or None where each call has to ask; `is_slow` where a cap lets only cheaper models pass."""

    held: Held | None
    priced: tuple[Priced, ...]
    is_slow: bool


def lease(moment: Moment, wanted: Wanted, usual: UsualCalls) -> Leased:
    """Hold about as much as someone spends in a lease's time; nothing where too little is left to share."""
    priced, services = _priced(moment, wanted.models, usual)
    if before := records.find(moment.session, (wanted.source, wanted.id)):
        return Leased(_again(before, wanted), priced, is_slow=False)
    buyer = pricing.buyer(moment, wanted.source, wanted.identities)
    value = valuation.expected(moment, Quarter.containing(moment.today), moment.handbooks)
    scopes = [sums.scope_of(moment, buyer.person_id, service, "") for service in services]
    met = meeting.under_lock(moment, buyer, value, scopes)
    is_slow = any(one.action == SLOW and int(one.left) <= 0 for one in met.standings(NanoUSD(0)))
    rules = moment.handbook.holds
    spent = records.spent_since(moment.session, buyer.account_id, [m for _, m in wanted.models], moment.now - PACE)
    size = estimates.lease(NanoUSD(spent), int(PACE.total_seconds()), met.least_left(), rules)
    if is_slow or size is None:
        return Leased(None, priced, is_slow=is_slow)
    return Leased(_hold(met, wanted, size), priced, is_slow=False)


def _again(before: Hold, wanted: Wanted) -> Held:
    if before.fingerprint != wanted.fingerprint or before.kind != LEASE:
        raise Refusal(reserving.CONFLICT, f"id = {wanted.id!r}: another hold was already made under it.")
    told = codec.read(Answer, before.answer)
    return reserving.Held(before, told.available, (), told.room)


def _hold(met: Meeting, wanted: Wanted, size: NanoUSD) -> Held:
    """A gateway may spend all of a lease: it counts in full."""
    moment, usd = met.moment, Reserved(int(size), int(size))
    tokens = met.tokens(usd)
    met.take(usd, tokens)
    available = None if met.purse is None else met.purse.caps.available - MicroTokens(tokens.most)
    room = met.as_likely().least_left() - size
    hold = Hold(
        *(wanted.source, wanted.id, LEASE, wanted.fingerprint, met.buyer.account_id, met.buyer.person_id),
        *("", "", "", "", HELD),
        *(tokens.most, usd.most, tokens.likely, usd.likely, tokens.most, usd.most, 0, 0),
        answer=codec.plain(Answer(available, (), room)),
        flags="",
        created_at=moment.now,
        expires_at=moment.now + timedelta(seconds=moment.handbook.holds.lease_seconds),
        closed_at=None,
    )
    records.insert(moment.session, hold, met.sums)
    return reserving.Held(hold, available, (), room)


def _priced(moment: Moment, models: Sequence[Model], usual: UsualCalls) -> tuple[tuple[Priced, ...], list[str]]:
    """(the models with their prices, their services); a Refusal where one is not approved or has no price."""
    rating, priced, services = Rating(moment), list[Priced](), dict[str, None]()
    for provider, model in models:
        tariff = rating.tariff(provider, model, moment.today)
        if tariff.service_key is None:
            raise Refusal("unapproved_service", f"No approved service has the provider {provider!r}.")
        price = pricing.price_of(moment, tariff, model)
        if price is None:
            raise Refusal("unknown_model", f"No price is known for {provider}/{model}.")
        services[tariff.service_key] = None
        output = usual.output(moment, model) or moment.handbook.holds.output_tokens
        priced.append(Priced(provider, model, price, output))
    return tuple(priced), list(services)


def recalled(moment: Moment, source: str, cursor: int) -> tuple[int, list[str]]:
    """(the next cursor, the open leases of a gateway that were recalled since)."""
    return recalls.since(moment.session, source, cursor)
