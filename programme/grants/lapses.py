"""What ends: lots whose time is over, what leavers leave, and what exceeds the carry limit."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.kinds import EntryKind
from policy.period import first_instant
from programme import carry_over
from programme.grants import sizing
from store.audit import POLICY
from store.grants import monthly
from store.ledger import ledger
from store.ledger.ledger import Draft

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from policy.handbook import Handbook
    from policy.period import Month
    from programme.carry_over import Excess
    from programme.moment import Moment
    from store.grants.monthly import Holding


def close_ended(moment: Moment, day: date) -> int:
    """Close lots that ended `settle_days` before a day, and all lots of people who left as long ago; how many."""
    book = moment.handbooks.on(day)
    settled = day - timedelta(days=book.lots.settle_days)
    gone = monthly.leavers(moment.session, settled)
    ended_before = first_instant(settled, moment.zone)
    # Locked before they are read: usage that is posted meanwhile would else burn what we are about to close.
    _hold_wallets(moment, ended_before, gone)
    ended = monthly.holdings(moment.session, ended_before=ended_before)
    left = [h for h in monthly.holdings(moment.session) if h.person_id in gone] if gone else []
    by_wallet: defaultdict[str, dict[int, Holding]] = defaultdict(dict)
    for holding in (*ended, *left):
        by_wallet[holding.person_id][holding.lot_id] = holding
    at = first_instant(day, moment.zone)
    drafts = [
        _closing(moment, person_id, lots.values(), day, at, gone=person_id in gone)
        for person_id, lots in sorted(by_wallet.items())
    ]
    ledger.post(moment.session, drafts, now=moment.now)
    return sum(len(lots) for lots in by_wallet.values())


def _hold_wallets(moment: Moment, ended_before: datetime, gone: set[str]) -> None:
    touched = {h.account_id for h in monthly.holdings(moment.session, ended_before=ended_before)}
    if gone:
        touched |= {h.account_id for h in monthly.holdings(moment.session) if h.person_id in gone}
    if touched:
        ledger.lock(
            moment.session, touched | set(ledger.open_accounts(moment.session, [ledger.EXPIRED, ledger.POOL]).values())
        )


def _closing(moment: Moment, person_id: str, lots: Iterable[Holding], day: date, at: datetime, *, gone: bool) -> Draft:
    """One entry for all that ended: grants expire, what is left of exceptions returns to the pool."""
    closed = list(lots)
    account_of = ledger.open_accounts(moment.session, [ledger.EXPIRED, ledger.POOL])
    what = "Left the company" if gone else "Ended: " + "; ".join(h.reason for h in closed)
    into: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for holding in closed:
        account = ledger.POOL if holding.kind.returns_to_pool else ledger.EXPIRED
        into[account_of[account]].append((holding.lot_id, holding.remaining))
    return taking_out(EntryKind.EXPIRY, f"expiry:{day}:{person_id}", closed[0].account_id, into, at=at, memo=what)


def taking_out(
    kind: EntryKind, key: str, wallet: int, into: Mapping[int, Sequence[tuple[int, int]]], *, at: datetime, memo: str
) -> Draft:
    """An entry that takes amounts out of certain lots of a wallet, into accounts of the programme."""
    sums = [(account, sum(taken for _, taken in takes)) for account, takes in into.items()]
    takes = [take for some in into.values() for take in some]
    return Draft(
        kind=kind,
        idempotency_key=key,
        fingerprint=ledger.fingerprint(key, takes),
        effective_at=at,
        memo=memo,
        actor=POLICY,
        amounts=((wallet, -sum(amount for _, amount in sums)), *sums),
        takes=tuple(takes),
    )


def foreseen(moment: Moment, month: Month, lots: Mapping[str, Sequence[Holding]], book: Handbook) -> dict[str, Excess]:
    """What will lapse at the beginning of a month to come, if nothing of it is used until then."""
    grants = sizing.foreseen(moment, month, book, lots)
    return carry_over.due(lots, grants, book, first_instant(month.first_day, moment.zone))
