"""What of a wallet lapses on the next first, or did on the last one and is not taken yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.kinds import LotKind
from policy.period import Month, first_instant
from policy.sizing import Factors
from policy.units import MicroTokens
from programme import carry_over
from store.grants.monthly import Holding
from views import codec
from views.balance import Lapse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from policy.handbook import Handbook
    from programme.carry_over import Excess
    from programme.moment import Moment
    from store.ledger.wallets import Announced, Wallet

Found = tuple[Lapse, "Mapping[int, int]"]
"""(what is said of it, how much of it is in each lot)"""


def of(moment: Moment, wallet: Wallet) -> Found | None:
    """By the same function that takes it; only in a month's first days is anything more asked of the database."""
    if wallet.account_id is None:
        return None
    month = Month.containing(moment.today)
    if not wallet.is_settled and wallet.factors is not None and (past := _past(moment, wallet, month)):
        return past
    coming = month.next()
    if not carry_over.is_announced(moment, coming, moment.recent_handbooks):
        return None
    told = wallet.announced.get(str(coming))
    return _coming(moment, wallet, coming, told) if told and told.amount else None


def _coming(moment: Moment, wallet: Wallet, month: Month, told: Announced) -> Found | None:
    at = first_instant(month.first_day, moment.zone)
    lots = _holdings(wallet)
    over = carry_over.over_limit(lots, told.carried_at_most, at).at_most(told.amount)
    left = sum(h.remaining for h in lots if h.kind == LotKind.MONTHLY and h.expires_at > at)
    return _found(month, over, left, told.carried_at_most, at=at) if over.amount else None


def _past(moment: Moment, wallet: Wallet, month: Month) -> Found | None:
    told = wallet.announced.get(str(month))
    book: Handbook = moment.recent_handbooks.on(month.first_day)
    if not told or book.lots.announced_from is None:
        return None
    whole = codec.read(Factors, wallet.factors).whole_grant
    taken = carry_over.since_the_first(moment, month, {wallet.person_id: whole}, {wallet.person_id: told})
    over = taken.get(wallet.person_id)
    if over is None or not over.amount:
        return None
    at_most = carry_over.limit_of(carry_over.carry_limit(whole, book), told)
    at = first_instant(month.first_day, moment.zone)
    return _found(month, over, at_most + over.amount, at_most, at=at, is_past=True)


def _found(month: Month, over: Excess, left: int, at_most: int, *, at: datetime, is_past: bool = False) -> Found:
    said = Lapse(month.first_day, MicroTokens(over.amount), MicroTokens(left), MicroTokens(at_most), at, is_past)
    return said, dict(over.takes)


def _holdings(wallet: Wallet) -> list[Holding]:
    assert wallet.account_id is not None  # noqa: S101 - asked before
    return [
        Holding(wallet.account_id, wallet.person_id, lot.id, lot.kind, lot.expires_at, lot.remaining, lot.reason)
        for lot in wallet.lots
    ]
