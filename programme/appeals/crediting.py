"""What an upheld appeal gives back: all that the cut took in months whose grants are posted, as a lot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import appeals as policy
from policy.kinds import EntryKind, LotKind
from policy.period import Month, first_instant
from programme.appeals import appeals
from programme.balance import warnings
from programme.exceptions.crediting import value_now
from programme.funding import PRIORITY, from_pool_first
from store.appeals import records as store
from store.ledger import ledger
from store.ledger.drafts import Draft, NewLot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from policy.units import MicroTokens
    from policy.value.valuation import TokenValue
    from programme.moment import Moment
    from store.ledger.ledger import Account
    from views.appeals import Appeal


def give_back(moment: Moment, appeal: Appeal, *, actor: str) -> Appeal:
    """Credit what is owed back, if anything is: out of the pool first, as exceptions are."""
    amount = policy.owed_back(_cut_months(moment, appeal))
    if not amount:
        return appeal
    # The value before the accounts, as everywhere (docs/decisions/0005).
    value = value_now(moment)
    held = ledger.hold(moment.session, [ledger.TREASURY, ledger.POOL, ledger.wallet_code(appeal.person_id)])
    draft = _draft(moment, appeal, amount, held, value, actor=actor)
    [entry_id] = ledger.post(moment.session, [draft], now=moment.now, holding=held.values())
    warnings.credited(moment, [held[ledger.wallet_code(appeal.person_id)].id])
    return appeals.move(moment, appeal, entry_id=entry_id)


def _draft(
    moment: Moment,
    appeal: Appeal,
    amount: MicroTokens,
    held: Mapping[str, Account],
    value: TokenValue,
    *,
    actor: str,
) -> Draft:
    key, memo = f"appeal:{appeal.id}", f"Appeal upheld: what the cut of {appeal.quarter} took"
    wallet = held[ledger.wallet_code(appeal.person_id)]
    ends_on = Month.containing(moment.today).plus(moment.handbook.lots.months).first_day
    ends_at = first_instant(ends_on, moment.zone)
    return Draft(
        kind=EntryKind.APPEAL,
        idempotency_key=key,
        fingerprint=ledger.fingerprint(key, int(amount)),
        effective_at=moment.now,
        memo=memo,
        actor=actor,
        amounts=(*from_pool_first(held, amount), (wallet.id, int(amount))),
        value_version=value.version,
        lot=NewLot(LotKind.APPEAL, PRIORITY, moment.now, ends_at, memo, actor),
    )


def _cut_months(moment: Moment, appeal: Appeal) -> Iterator[policy.CutMonth]:
    """Grants since the cut held, each with the adjustment that it would have had without."""
    return store.cut_months(
        moment.session,
        appeal.quarter,
        appeal.person_id,
        appeals.holds_from(moment, appeal),
        at=moment.now,
        rules_of=lambda version: moment.handbooks.named(version).sizing,
    )
