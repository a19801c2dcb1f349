"""What ends: lots whose time is over, what leavers leave, and what exceeds the carry limit."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.kinds import EntryKind
from policy.period import first_instant
from programme import carry_over, pausing
from programme.grants import leavers, sizing
from programme.grants.closing import taking_out
from store.grants import leavers as store
from store.grants import monthly, pauses
from store.ledger import ledger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from policy.handbook import Handbook
    from policy.period import Month
    from programme.carry_over import Excess
    from programme.moment import Moment
    from store.grants.monthly import Holding
    from store.ledger.drafts import Draft


def close_ended(moment: Moment, day: date) -> int:
    """Close lots that ended `settle_days` before a day, and all of people who left as long ago; how many.

    Leaves are counted first: a lot whose clock stands still has not ended.
    """
    book = moment.handbooks.on(day)
    settled = day - timedelta(days=book.lots.settle_days)
    gone = store.left_before(moment.session, settled)
    away = pauses.away_since(moment.session, moment.today - timedelta(days=1))
    ended_before = first_instant(settled, moment.zone)
    # Locked before they are read: usage that is posted meanwhile would else burn what we are about to close.
    _hold_wallets(moment, ended_before, gone, away)
    pausing.count(moment, away)
    ended: defaultdict[str, list[Holding]] = defaultdict(list)
    left: defaultdict[str, list[Holding]] = defaultdict(list)
    for holding in monthly.holdings(moment.session):
        last_day = gone.get(holding.person_id)
        if holding.expires_at <= _end_of(moment, last_day, ended_before):
            ended[holding.person_id].append(holding)
        elif last_day is not None:
            left[holding.person_id].append(holding)
    _close(moment, day, ended, gone=False)
    if book.lots.leavers == "pool":
        leavers.settle(moment, day, left, gone)
    else:
        _close(moment, day, left, gone=True)
    return sum(len(lots) for some in (ended, left) for lots in some.values())


def _end_of(moment: Moment, last_day: date | None, ended_before: datetime) -> datetime:
    """Until when a lot must have ended to be closed as ended: what lived on a leaver's last day is what they left."""
    return ended_before if last_day is None else first_instant(last_day + timedelta(days=1), moment.zone)


def _hold_wallets(moment: Moment, ended_before: datetime, gone: Mapping[str, date], away: set[str]) -> None:
    touched = {h.account_id for h in monthly.holdings(moment.session, ended_before=ended_before)}
    touched |= pauses.wallets_of(moment.session, away)
    if gone:
        touched |= {h.account_id for h in monthly.holdings(moment.session) if h.person_id in gone}
        touched |= {debt.account_id for debt in store.debts(moment.session, gone)}
    if touched:
        programmes = ledger.open_accounts(moment.session, [ledger.EXPIRED, ledger.POOL, ledger.TREASURY])
        ledger.lock(moment.session, touched | set(programmes.values()))


def _close(moment: Moment, day: date, lots: Mapping[str, list[Holding]], *, gone: bool) -> None:
    drafts = [_closing(moment, person_id, closed, day, gone=gone) for person_id, closed in sorted(lots.items())]
    ledger.post(moment.session, drafts, now=moment.now)


def _closing(moment: Moment, person_id: str, closed: Sequence[Holding], day: date, *, gone: bool) -> Draft:
    """One entry for all that ended: grants expire, what is left of exceptions returns to the pool."""
    account_of = ledger.open_accounts(moment.session, [ledger.EXPIRED, ledger.POOL])
    key = f"expiry:{day}:{person_id}:left" if gone else f"expiry:{day}:{person_id}"
    memo = "Left the company" if gone else "Ended: " + "; ".join(h.reason for h in closed)
    into: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for holding in closed:
        account = ledger.POOL if holding.kind.returns_to_pool else ledger.EXPIRED
        into[account_of[account]].append((holding.lot_id, holding.remaining))
    at = first_instant(day, moment.zone)
    return taking_out(EntryKind.EXPIRY, key, closed[0].account_id, into, at=at, memo=memo)


def foreseen(moment: Moment, month: Month, lots: Mapping[str, Sequence[Holding]], book: Handbook) -> dict[str, Excess]:
    """What will lapse at the beginning of a month to come, if nothing of it is used until then."""
    grants = sizing.foreseen(moment, month, book, lots)
    return carry_over.due(lots, grants, book, first_instant(month.first_day, moment.zone))
