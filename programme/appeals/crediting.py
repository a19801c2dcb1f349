"""What an upheld appeal gives back: all that the cut took in months whose grants are posted, as a lot."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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


class Owed(NamedTuple):
    """What an appeal gives back to whom, and the words and the key of its entry."""

    person_id: str
    amount: MicroTokens
    key: str
    memo: str


def give_back(moment: Moment, appeal: Appeal, *, actor: str) -> Appeal:
    """Credit what is owed back, if anything is."""
    amount = policy.owed_back(_cut_months(moment, appeal))
    memo = f"Appeal upheld: what the cut of {appeal.quarter} took"
    entry_id = credit(moment, Owed(appeal.person_id, amount, f"appeal:{appeal.id}", memo), actor=actor)
    return appeal if entry_id is None else appeals.move(moment, appeal, entry_id=entry_id)


def credit(moment: Moment, owed: Owed, *, actor: str) -> int | None:
    """The entry that gives an amount back, out of the pool first, as exceptions are; None where it is nothing."""
    if not owed.amount:
        return None
    # The value before the accounts, as everywhere (docs/decisions/0005).
    value, wallet = value_now(moment), ledger.wallet_code(owed.person_id)
    held = ledger.hold(moment.session, [ledger.TREASURY, ledger.POOL, wallet])
    [entry_id] = ledger.post(
        moment.session, [_draft(moment, owed, held, value, actor=actor)], now=moment.now, holding=held.values()
    )
    warnings.credited(moment, [one.id for one in held.values() if one.is_warned])
    return entry_id


def _draft(moment: Moment, owed: Owed, held: Mapping[str, Account], value: TokenValue, *, actor: str) -> Draft:
    amount = owed.amount
    ends_on = Month.containing(moment.today).plus(moment.handbook.lots.months).first_day
    ends_at = first_instant(ends_on, moment.zone)
    return Draft(
        kind=EntryKind.APPEAL,
        idempotency_key=owed.key,
        fingerprint=ledger.fingerprint(owed.key, int(amount)),
        effective_at=moment.now,
        memo=owed.memo,
        actor=actor,
        amounts=(*from_pool_first(held, amount), (held[ledger.wallet_code(owed.person_id)].id, int(amount))),
        value_version=value.version,
        lot=NewLot(LotKind.APPEAL, PRIORITY, moment.now, ends_at, owed.memo, actor),
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
