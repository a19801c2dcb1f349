"""`/tokens balance`: what a person has left, what it is worth, until when it lasts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from policy import lots as burning
from policy.pace import days_observed, grants_to_settle, outlook
from policy.period import Month, day_of, first_instant
from policy.sizing import Factors
from policy.units import MicroTokens
from policy.value.valuation import TokenValue
from programme.balance import lapse
from programme.value import valuation
from store import time_zones
from store.holds import records
from store.ledger import wallets
from views import codec
from views.balance import BalanceCard, LotLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from zoneinfo import ZoneInfo

    from policy.pace import Outlook
    from policy.period import Quarter
    from programme.moment import Moment
    from store.ledger.wallets import LotRow, ServiceSpend, Wallet
    from views.balance import Lapse

TOP_SERVICES = 3


def of_slack_user(moment: Moment, slack_user_id: str) -> BalanceCard | None:
    """The card of the person behind a Slack user, or None for someone we do not know."""
    today = moment.today
    wallet = wallets.of_slack_user(moment.session, slack_user_id, today)
    return _card(moment, wallet, today) if wallet else None


def of_email(moment: Moment, email: str) -> BalanceCard | None:
    """The same card for an administrator."""
    today = moment.today
    wallet = wallets.of_email(moment.session, email, today)
    return _card(moment, wallet, today) if wallet else None


def _card(moment: Moment, wallet: Wallet, today: date) -> BalanceCard:
    month = Month.containing(today)
    spendable = [lot for lot in wallet.lots if lot.starts_at <= moment.now < lot.expires_at]
    found = lapse.of(moment, wallet)
    lapsing, takes = found or (None, {})
    usable, gone = _lines(spendable, lapsing, takes, moment.zone)
    usable = _while_here(usable, wallet.left_on, today, moment.zone)
    coming = [_lot_line(lot) for lot in wallet.lots if lot.starts_at > moment.now]
    # A lot that has expired but is not yet closed still stands in the balance, so it counts here and nowhere else.
    debt = burning.debt(wallet.balance, (lot.remaining for lot in wallet.lots))
    available = sum(int(lot.remaining) for lot in usable) - debt
    spending = _by_size(wallet.spent)
    factors = None if wallet.factors is None else codec.read(Factors, wallet.factors)
    return BalanceCard(
        person_id=wallet.person_id,
        name=wallet.name,
        zone=time_zones.zone(wallet.time_zone, moment.zone),
        value=_value(moment, wallet, month.quarter),
        available=MicroTokens(available),
        granted=MicroTokens(sum(lot.amount for lot in spendable if not _is_gone(lot, lapsing, takes))),
        debt=MicroTokens(debt),
        lots=tuple(usable),
        coming=tuple(coming),
        month=month,
        spent_this_month=MicroTokens(sum(s.month for s in spending)),
        services=tuple((s.service_key, MicroTokens(s.month)) for s in spending[:TOP_SERVICES] if s.month),
        outlook=_outlook(usable, debt, spending, today, moment.zone),
        used_before=wallet.account_id is not None,
        now=moment.now,
        grant=factors,
        ended=(*(_lot_line(lot) for lot in wallet.lots if lot.expires_at <= moment.now), *gone),
        account_id=wallet.account_id,
        paid_by_company=_paid(moment, wallet.company_account_id, today),
        lapse=lapsing,
        debt_grants=_debt_grants(factors, debt, spending, today),
        held=MicroTokens(wallet.held),
        held_calls=records.open_of(moment.session, wallet.account_id).calls if wallet.held and wallet.account_id else 0,
        left_on=wallet.left_on,
    )


def _is_gone(lot: LotRow, lapsing: Lapse | None, takes: Mapping[int, int]) -> bool:
    """Whether all that was left of a lot has lapsed."""
    return lapsing is not None and lapsing.is_past and takes.get(lot.id) == lot.remaining


def _lines(
    lots: list[LotRow], lapsing: Lapse | None, takes: Mapping[int, int], zone: ZoneInfo
) -> tuple[list[LotLine], list[LotLine]]:
    """(what can be spent, what has lapsed): a lot of which a part lapses makes two lines."""
    if lapsing is None:
        return [_lot_line(lot) for lot in lots], []
    at = first_instant(lapsing.on, zone)
    parts = [
        replace(_lot_line(lot), remaining=MicroTokens(takes[lot.id]), expires_at=at, lapses=True)
        for lot in lots
        if lot.id in takes
    ]
    rest = [
        replace(_lot_line(lot), remaining=MicroTokens(lot.remaining - takes.get(lot.id, 0)))
        for lot in lots
        if lot.remaining > takes.get(lot.id, 0)
    ]
    if lapsing.is_past:
        return rest, parts
    return sorted([*parts, *rest], key=lambda line: line.expires_at), []


def _while_here(lines: list[LotLine], left_on: date | None, today: date, zone: ZoneInfo) -> list[LotLine]:
    """The same for someone whose last day is to come: the wallet is frozen after it, whatever still has time then."""
    if left_on is None or left_on < today:
        return lines
    frozen = first_instant(left_on + timedelta(days=1), zone)
    return [replace(line, expires_at=min(line.expires_at, frozen)) for line in lines]


def _lot_line(lot: LotRow) -> LotLine:
    return LotLine(
        lot.kind, lot.reason, MicroTokens(lot.amount), MicroTokens(lot.remaining), lot.starts_at, lot.expires_at
    )


def _value(moment: Moment, wallet: Wallet, quarter: Quarter) -> TokenValue:
    if wallet.nano_usd_per_token is not None and wallet.value_version is not None:
        return TokenValue(quarter, wallet.value_version, wallet.nano_usd_per_token)
    # Nothing was used in this quarter yet, so no one has adopted its value.
    return valuation.not_adopted(moment, quarter, moment.recent_handbooks)


def _by_size(spent: Iterable[ServiceSpend]) -> list[ServiceSpend]:
    return sorted(spent, key=lambda s: (-s.month, s.service_key))


def _paid(moment: Moment, account_id: int | None, today: date) -> MicroTokens | None:
    if account_id is None:
        return None
    return MicroTokens(sum(s.month for s in wallets.spend(moment.session, account_id, today)))


def _outlook(
    lots: list[LotLine], debt: int, spending: list[ServiceSpend], today: date, zone: ZoneInfo
) -> Outlook | None:
    if debt or not spending:
        return None
    days = days_observed(min(s.first_day for s in spending), today)
    left = [(int(lot.remaining), day_of(lot.expires_at, zone)) for lot in lots]
    return outlook(left, sum(s.window for s in spending), days, today)


def _debt_grants(factors: Factors | None, debt: int, spending: list[ServiceSpend], today: date) -> int | None:
    """None for whom the calendar grants nothing, or not enough."""
    if not debt or factors is None:
        return None
    observed = days_observed(min((s.first_day for s in spending), default=today), today)
    days_to_next = (Month.containing(today).next().first_day - today).days
    return grants_to_settle(debt, int(factors.whole_grant), sum(s.window for s in spending), observed, days_to_next)
