"""Taking back a lot that was given by hand and by mistake: what is unused of it, told to whoever had it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy import texts
from policy.kinds import EntryKind, LotKind
from policy.reasons import Refusal
from policy.units import MicroTokens
from programme import notify
from store import audit
from store.ledger import ledger, lots
from store.ledger.drafts import Draft
from store.proof.revocations import REVOKED
from views import codec
from views.grants import Revocation

if TYPE_CHECKING:
    from programme.moment import Moment
    from store.ledger.lots import Lot

OTHERS = {
    LotKind.MONTHLY: "Correct what it follows from with `people import` or `bands set`; the next month's follows that.",
    LotKind.EXCEPTION: "The board decided it, so the board ends it.",
    LotKind.APPEAL: "It was decided on appeal.",
    LotKind.RETURNED: "It gives back usage that was posted wrongly.",
}
"""Why lots of other kinds are not taken back by one person, and what there is instead."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """What was taken back of a lot; `used` stays used."""

    lot: Lot
    amount: MicroTokens
    used: MicroTokens


def revoke(moment: Moment, lot_id: int, *, reason: str, actor: str) -> Revoked:
    """Take what is unused of a lot that was given by hand back into the treasury, and tell its owner.

    Refused: a lot of another kind, one of which nothing is left, one that is not there, and no reason.
    """
    if wrong := texts.problem(reason, "reason is empty; the person will read it."):
        raise Refusal("reason_missing", wrong)
    found = lots.by_id(moment.session, lot_id)
    if found is None:
        raise Refusal("unknown_lot", f"There is no lot {lot_id}.", next_step="`tokens-bot grants list EMAIL` has them.")
    if found.kind is not LotKind.MANUAL:
        text = f"Lot {lot_id} was not given by hand, but is of kind {found.kind.value!r}."
        raise Refusal("not_by_hand", text, next_step=OTHERS[found.kind])
    held = ledger.hold(moment.session, [ledger.TREASURY, ledger.wallet_code(found.person_id)])
    # Read again under the lock: usage may have burnt it meanwhile.
    remaining = ledger.lot_of(moment.session, found.entry_id).remaining
    if not remaining:
        text = f"Nothing is left of lot {lot_id}: it was used, it has ended, or it was revoked before."
        raise Refusal("nothing_left", text)
    wallet, treasury = held[ledger.wallet_code(found.person_id)].id, held[ledger.TREASURY].id
    draft = _draft(moment, found, remaining, (wallet, treasury), reason=reason, actor=actor)
    [entry_id] = ledger.post(moment.session, [draft], now=moment.now, holding=held.values())
    after = {"lot": lot_id, "entry": entry_id, "reason": reason}
    audit.note(moment.session, actor, REVOKED, found.person_id, at=moment.now, after=after)
    _tell(moment, found, MicroTokens(remaining), reason, entry_id)
    return Revoked(found, MicroTokens(remaining), MicroTokens(int(found.amount) - remaining))


def _draft(moment: Moment, lot: Lot, remaining: int, accounts: tuple[int, int], *, reason: str, actor: str) -> Draft:
    wallet, treasury = accounts
    # Without a key of its own: what is corrected later may fill the lot again, and that is revoked for itself.
    return Draft(
        kind=EntryKind.REVOCATION,
        idempotency_key=None,
        fingerprint=ledger.fingerprint("revoked", lot.id, remaining),
        effective_at=moment.now,
        memo=reason,
        actor=actor,
        amounts=((wallet, -remaining), (treasury, remaining)),
        takes=((lot.id, remaining),),
    )


def _tell(moment: Moment, lot: Lot, amount: MicroTokens, reason: str, entry_id: int) -> None:
    told = Revocation(lot.person_id, amount, lot.starts_at, lot.reason, reason, moment.handbook.contact)
    letter = (f"revoked:{entry_id}", "grants/revoked", codec.written(told), lot.person_id)
    notify.to_people(moment, [letter], book=moment.handbook, earliest=moment.now)
