"""What leavers leave: what they hold goes into the pool, what they owe is written off; each is an entry of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.kinds import EntryKind
from policy.period import first_instant
from programme.grants.closing import taking_out
from store import audit
from store.audit import POLICY
from store.grants import leavers as store
from store.ledger import ledger
from store.ledger.drafts import Draft

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from programme.moment import Moment
    from store.grants.leavers import Debt
    from store.grants.monthly import Holding


def settle(moment: Moment, day: date, held: Mapping[str, list[Holding]], left_on: Mapping[str, date]) -> None:
    """Close what leavers hold, then write off what they owe; the accounts are held.

    Where a debt was written off and its usage is corrected since, what that gave back goes to the treasury first.
    """
    at = first_instant(day, moment.zone)
    before = store.written_off(moment.session, held)
    account_of = ledger.open_accounts(moment.session, [ledger.TREASURY, ledger.POOL])
    for person_id, lots in sorted(held.items()):
        back, rest = _parted(lots, before.get(person_id, 0))
        if back:
            _take_back(moment, day, person_id, lots[0].account_id, {account_of[ledger.TREASURY]: back}, at)
        if rest:
            key, into = f"expiry:{day}:{person_id}:left", {account_of[ledger.POOL]: rest}
            draft = taking_out(EntryKind.EXPIRY, key, lots[0].account_id, into, at=at, memo="Left the company")
            ledger.post(moment.session, [draft], now=moment.now)
    for debt in store.debts(moment.session, left_on):
        draft = _written_off(day, debt, account_of[ledger.TREASURY], at)
        [entry_id] = ledger.post(moment.session, [draft], now=moment.now)
        _note(moment, entry_id, debt.person_id, left_on[debt.person_id])


def _parted(lots: Iterable[Holding], first: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """What of lots makes up a first amount, and the rest."""
    taken, rest = [], []
    for lot in lots:
        part = min(first, lot.remaining)
        first -= part
        taken.append((lot.lot_id, part))
        rest.append((lot.lot_id, lot.remaining - part))
    return [one for one in taken if one[1]], [one for one in rest if one[1]]


def _take_back(  # noqa: PLR0917 - private, called once
    moment: Moment,
    day: date,
    person_id: str,
    wallet: int,
    into: Mapping[int, list[tuple[int, int]]],
    at: datetime,
) -> None:
    key, memo = f"write_off:{day}:{person_id}:back", "Debt that was written off, and corrected since"
    draft = taking_out(EntryKind.WRITE_OFF, key, wallet, into, at=at, memo=memo)
    [entry_id] = ledger.post(moment.session, [draft], now=moment.now)
    _note(moment, entry_id, person_id, None)


def _written_off(day: date, debt: Debt, treasury: int, at: datetime) -> Draft:
    key = f"write_off:{day}:{debt.person_id}"
    return Draft(
        kind=EntryKind.WRITE_OFF,
        idempotency_key=key,
        fingerprint=ledger.fingerprint(key, debt.owed),
        effective_at=at,
        memo="Debt written off: left the company",
        actor=POLICY,
        amounts=((treasury, -debt.owed), (debt.account_id, debt.owed)),
    )


def _note(moment: Moment, entry_id: int, person_id: str, left_on: date | None) -> None:
    """Without the amount: the entry has it."""
    after = {"entry": entry_id, "left_on": left_on and left_on.isoformat()}
    audit.note(moment.session, POLICY, store.WROTE_OFF, person_id, at=moment.now, after=after)
