"""Crediting an exception: the entry that pays for it, and the value and the monthly grant by which it is measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from policy import texts
from policy.kinds import EntryKind, LotKind
from policy.period import Quarter, first_instant
from policy.sizing import Factors
from policy.units import MicroTokens
from programme.balance import warnings
from programme.funding import PRIORITY, from_pool_first
from programme.value import valuation
from store.audit import POLICY
from store.grants import monthly
from store.ledger import ledger
from store.ledger.drafts import Draft, NewLot
from views import codec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from policy.value.valuation import TokenValue
    from programme.moment import Moment
    from store.exceptions.requests import Request
    from store.ledger.ledger import Account, LotLeft


@dataclass(frozen=True, slots=True)
class Credit:
    """What a request gets, until the end of which day, and who decided that."""

    request_id: str
    person_id: str
    amount: MicroTokens
    last_day: date
    purpose: str
    actor: str


def value_now(moment: Moment) -> TokenValue:
    """The present quarter's value, adopted if no one has used it yet."""
    return valuation.present(moment, Quarter.containing(moment.today))


def monthly_grant(moment: Moment, person_id: str) -> MicroTokens:
    """A person's latest monthly grant, made whole where it was for a part of a month."""
    factors = latest_factors(moment, person_id)
    return factors.whole_grant if factors else MicroTokens(0)


def latest_factors(moment: Moment, person_id: str) -> Factors | None:
    latest = monthly.latest(moment.session, [person_id])
    return codec.read(Factors, latest[person_id]) if latest else None


def accounts(person_id: str) -> list[str]:
    """The codes of the accounts that a credit may touch."""
    return [ledger.TREASURY, ledger.POOL, ledger.wallet_code(person_id)]


def post(moment: Moment, credit: Credit, value: TokenValue, held: Mapping[str, Account]) -> int:
    """Post the entry of an exception to its accounts, which the caller holds; its number."""
    draft = _draft(moment, credit, value, held)
    [entry_id] = ledger.post(moment.session, [draft], now=moment.now, holding=held.values())
    warnings.credited(moment, [one.id for one in held.values() if one.is_warned])
    return entry_id


def take_back(moment: Moment, request: Request) -> MicroTokens:
    """End the lot of a break-glass that is not ratified: what is left of it goes into the pool. What was used of it."""
    held = ledger.hold(moment.session, [ledger.POOL, ledger.wallet_code(request.person_id)])
    assert request.entry_id is not None  # noqa: S101 - it is credited
    assert request.granted is not None  # noqa: S101 - as above
    lot = ledger.lot_of(moment.session, request.entry_id)
    if lot.remaining:
        ledger.post(moment.session, [_return(moment, request, lot, held)], now=moment.now, holding=held.values())
    return request.granted - MicroTokens(lot.remaining)


def _return(moment: Moment, request: Request, lot: LotLeft, held: Mapping[str, Account]) -> Draft:
    key = f"returned:{request.id}"
    wallet, pool = held[ledger.wallet_code(request.person_id)], held[ledger.POOL]
    return Draft(
        kind=EntryKind.RETURN,
        idempotency_key=key,
        fingerprint=ledger.fingerprint(key, lot.remaining),
        effective_at=moment.now,
        memo="Unused of a break-glass that was not ratified",
        actor=POLICY,
        amounts=((wallet.id, -lot.remaining), (pool.id, lot.remaining)),
        takes=((lot.id, lot.remaining),),
    )


def _draft(moment: Moment, credit: Credit, value: TokenValue, held: Mapping[str, Account]) -> Draft:
    key = f"exception:{credit.request_id}"
    reason = f"Exception: {' '.join(credit.purpose.split())}"[: texts.LONGEST]
    ends_at = first_instant(credit.last_day + timedelta(days=1), moment.zone)
    wallet = held[ledger.wallet_code(credit.person_id)]
    return Draft(
        kind=EntryKind.EXCEPTION,
        idempotency_key=key,
        fingerprint=ledger.fingerprint(key, int(credit.amount), credit.last_day),
        effective_at=moment.now,
        memo=reason,
        actor=credit.actor,
        amounts=(*from_pool_first(held, credit.amount), (wallet.id, int(credit.amount))),
        value_version=value.version,
        lot=NewLot(LotKind.EXCEPTION, PRIORITY, moment.now, ends_at, reason, credit.actor),
    )
