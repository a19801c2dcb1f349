"""Giving tokens: a dated lot in a person's wallet, out of the treasury."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from policy import texts
from policy.kinds import EntryKind, LotKind
from policy.reasons import Refusal
from programme.balance import warnings
from programme.funding import LARGEST_LOT, PRIORITY
from programme.people import directory
from store import audit
from store.ledger import ledger, lots
from store.ledger.drafts import Draft, NewLot

if TYPE_CHECKING:
    from datetime import datetime

    from policy.units import MicroTokens
    from programme.moment import Moment
    from store.ledger.lots import Lot

KEY_REUSED = "key_reused"
LATELY = timedelta(days=7)
"""So long the same again for the same person may be a repetition."""
MOST_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class ManualGrant:
    """A lot that was given; `again` when the same call had given it before."""

    person_id: str
    entry_id: int
    lot_id: int
    amount: MicroTokens
    expires_at: datetime
    again: bool


def give(
    moment: Moment,
    *,
    email: str,
    amount: MicroTokens,
    reason: str,
    expires_at: datetime,
    actor: str,
    key: str | None = None,
) -> ManualGrant:
    """Post a lot by hand, audited.

    `key` makes the call repeatable: the same key with the same content gives nothing twice, with another content it
    is refused.
    """
    _require_sound(amount, reason, expires_at, moment.now)
    person = directory.require(moment, email)
    idempotency_key = f"grant:manual:{key or secrets.token_hex(8)}"
    fingerprint = ledger.fingerprint(person.id, int(amount), reason, expires_at.astimezone(UTC).isoformat())
    account_of = ledger.open_accounts(moment.session, [ledger.TREASURY, ledger.wallet_code(person.id)])
    # The treasury's row is what two calls with one key wait for each other at.
    ledger.lock(moment.session, account_of.values())
    if before := ledger.find_entry(moment.session, idempotency_key):
        if before.fingerprint != fingerprint:
            raise Refusal(KEY_REUSED, f"key = {key!r} was used for another grant.", next_step="Choose another key.")
        lot_id = ledger.lot_of(moment.session, before.id).id
        return ManualGrant(person.id, before.id, lot_id, amount, expires_at, again=True)
    draft = Draft(
        kind=EntryKind.GRANT,
        idempotency_key=idempotency_key,
        fingerprint=fingerprint,
        effective_at=moment.now,
        memo=reason,
        actor=actor,
        amounts=((account_of[ledger.TREASURY], -int(amount)), (account_of[ledger.wallet_code(person.id)], int(amount))),
        lot=NewLot(LotKind.MANUAL, PRIORITY, moment.now, expires_at, reason, actor),
    )
    [entry_id] = ledger.post(moment.session, [draft], now=moment.now)
    warnings.credited(moment, [account_of[ledger.wallet_code(person.id)]])
    after = {"entry_id": entry_id, "reason": reason, "expires_at": expires_at.isoformat()}
    audit.note(moment.session, actor, "grant.give", person.id, at=moment.now, after=after)
    lot_id = ledger.lot_of(moment.session, entry_id).id
    return ManualGrant(person.id, entry_id, lot_id, amount, expires_at, again=False)


def likely_repeated(moment: Moment, *, email: str, amount: MicroTokens) -> Lot | None:
    """The lot of the same amount that the same person was given lately, if there is one: this may be it once more."""
    person = directory.require(moment, email)
    since = moment.now - LATELY
    found = lots.listed(moment.session, person_id=person.id, kinds=[LotKind.MANUAL], since=since, limit=MOST_LOOKED_AT)
    return next((lot for lot in found if lot.amount == amount and lot.remaining), None)


def _require_sound(amount: MicroTokens, reason: str, expires_at: datetime, now: datetime) -> None:
    if amount <= 0:
        raise Refusal("amount_not_positive", f"amount = {amount.decimal:f}: must be above zero.")
    if amount > LARGEST_LOT:
        most = f"at most {LARGEST_LOT.decimal:,f} tokens can be given at once."
        raise Refusal("amount_too_large", f"amount = {amount.decimal:,f}: {most}")
    if expires_at <= now:
        raise Refusal("expired_already", f"expires = {expires_at.isoformat()}: must be in the future.")
    if wrong := texts.problem(reason, "reason is empty; the person will read it."):
        raise Refusal("reason_missing", wrong)


def record_refusal(moment: Moment, refusal: Refusal, *, key: str | None, actor: str) -> None:
    """Note a key that was used again for something else, in a transaction of its own: the grant's is rolled back."""
    if refusal.code == KEY_REUSED:
        audit.note(moment.session, actor, "grant.refused", f"grant:manual:{key}", at=moment.now)
