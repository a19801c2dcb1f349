"""What was lost, or posted too much, is posted as an adjustment: to those who used it, the pool, or the company."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.kinds import EntryKind, LotKind
from policy.period import Month
from policy.reasons import Refusal
from policy.units import NanoUSD, split_by_largest_remainder
from policy.vendors import family
from programme.balance import warnings
from programme.funding import PRIORITY
from programme.value import valuation
from store.closings import records
from store.ledger import ledger
from store.ledger.drafts import Draft, NewLot
from store.reconciliation import sums
from store.tables.ledger import accounts
from store.tables.people import people

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from policy.value.valuation import TokenValue
    from programme.moment import Moment
    from views.reconciliation import Found

PERSONS, POOL, COMPANY = "persons", "pool", "company"
PAYERS = (PERSONS, POOL, COMPANY)
REASON = "Returned after a comparison with the vendor's bill"


class Adjusted(NamedTuple):
    """What was posted: entries, and what they come to; the payers that it was shared among."""

    entry_ids: tuple[int, ...]
    tokens: int
    usd: NanoUSD
    payers: int


def adjust(moment: Moment, found: Found, payer: str, *, actor: str) -> Adjusted:
    """Post what is open of a difference, at the value of its month; below zero it comes back.

    Persons bear it in proportion to what their use of these models on these days was debited. What cannot be shared
    so, because nobody used them, is refused.
    """
    month = Month.parse(found.month)
    value = valuation.value_of(moment, month.quarter, moment.handbooks)
    whole = int(value.debit(NanoUSD(abs(int(found.open_amount)))))
    if not whole:
        raise Refusal("nothing_open", "There is nothing left to post for this difference.")
    service = moment.handbooks.on(_days(found)[-1]).service_of(found.vendor, _days(found)[-1])
    if service is None:
        raise Refusal("no_service", f"No approved service has the provider {found.vendor!r}.")
    shares = {account: share for account, share in _shares(moment, found, payer, service.key, whole).items() if share}
    [to] = ledger.open_accounts(moment.session, [ledger.service_code(service.key)]).values()
    drafts = [_draft(moment, found, payer, account, to, share, value, actor) for account, share in shares.items()]
    posted = ledger.post(moment.session, drafts, now=moment.now)
    if payer == PERSONS:
        warnings.corrected(moment, set(shares))
    sign = 1 if found.open_amount > 0 else -1
    return Adjusted(tuple(posted), sign * whole, found.open_amount, len(shares))


def _days(found: Found) -> list[date]:
    first, last = date.fromisoformat(found.first), date.fromisoformat(found.last)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _shares(moment: Moment, found: Found, payer: str, service_key: str, whole: int) -> dict[int, int]:
    """Micro-tokens by account."""
    if payer != PERSONS:
        code = ledger.POOL if payer == POOL else ledger.THE_COMPANY
        account = ledger.hold(moment.session, [code])[code]
        if payer == POOL and found.open_amount > 0 and account.balance < whole:
            raise Refusal("pool_too_small", "The pool has less than that.", next_step="Choose the company.")
        return {account.id: whole}
    days = _days(found)
    named = {one["model"] for one in found.models}
    models = {name for name in sums.models_of(moment.session, service_key, days) if family(name) in named}
    used = sums.debits(moment.session, service_key, days, models) if models else {}
    used = used or sums.debits(moment.session, service_key, list(Month.parse(found.month).days()), ())
    if not used:
        raise Refusal(
            "nobody_used_it",
            f"Nobody used {found.vendor} in {found.month}.",
            next_step="Choose the pool or the company.",
        )
    shares = split_by_largest_remainder(whole, list(used.values()))
    return _without_leavers(moment, dict(zip(used, shares, strict=True)))


def _without_leavers(moment: Moment, shares: Mapping[int, int]) -> dict[int, int]:
    """Who has left has no wallet to bear it: the company does."""
    query = sa.select(accounts.c.id).join(people, people.c.id == accounts.c.person_id)
    left = set(
        moment.session.execute(query.where(accounts.c.id.in_(list(shares)), people.c.left_on < moment.today)).scalars()
    )
    [company] = ledger.open_accounts(moment.session, [ledger.THE_COMPANY]).values()
    found: dict[int, int] = {}
    for account, share in shares.items():
        bearer = company if account in left else account
        found[bearer] = found.get(bearer, 0) + share
    return found


def _draft(  # noqa: PLR0917 - private, called once
    moment: Moment, found: Found, payer: str, account: int, service: int, share: int, value: TokenValue, actor: str
) -> Draft:
    owed = share if found.open_amount > 0 else -share
    key = f"adjustment:{found.id}:{found.revision}:{account}"
    is_returned = owed < 0 and ledger.is_wallet(moment.session, account)
    return Draft(
        kind=EntryKind.ADJUSTMENT,
        idempotency_key=key,
        fingerprint=ledger.fingerprint(key, owed),
        effective_at=_booked_at(moment, Month.parse(found.month)),
        memo=f"{found.id} ({payer})",
        actor=actor,
        amounts=((account, -owed), (service, owed)),
        value_version=value.version,
        lot=_lot(moment, actor) if is_returned else None,
    )


def _booked_at(moment: Moment, month: Month) -> datetime:
    """At the month's last instant; now while it runs, and once it is closed."""
    end = month.bounds(moment.zone)[1]
    is_closed = str(month) in records.closed_months(moment.session)
    return moment.now if is_closed or moment.now < end else end - timedelta(microseconds=1)


def _lot(moment: Moment, actor: str) -> NewLot:
    days = moment.handbook.lots.returned_days
    return NewLot(LotKind.RETURNED, PRIORITY, moment.now, moment.now + timedelta(days=days), REASON, actor)
