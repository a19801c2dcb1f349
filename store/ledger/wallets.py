"""What a person's wallet holds and what moved it: the reading side of the ledger."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa

from policy.kinds import EntryKind, LotKind
from policy.pace import PACE_DAYS
from policy.period import Month
from policy.units import MicroTokens
from store import bulk
from store.handbook.reference import LATEST_FIRST
from store.ledger.ledger import COMPANY, company_code
from store.tables.grants import grants, lapse_announcements
from store.tables.ledger import accounts, entries, lot_movements, lots, postings
from store.tables.outbox import runs
from store.tables.people import people
from store.tables.usage import usage_days, wallet_days
from store.tables.value import token_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from store.engine import Session

SPEND_DAYS = 31
"""The longest month; it covers the pace's four weeks as well."""


class LotRow(NamedTuple):
    """An open lot."""

    kind: LotKind
    amount: int
    remaining: int
    starts_at: datetime
    expires_at: datetime
    reason: str
    id: int


class ServiceSpend(NamedTuple):
    """Micro-tokens that a service took: this month, within the pace's window, and since when it was used."""

    service_key: str
    month: int
    window: int
    first_day: date


class Announced(NamedTuple):
    """What someone was told will lapse, and the carry limit that it follows from, in micro-tokens."""

    amount: int
    carried_at_most: int


class Wallet(NamedTuple):
    """A person with what their wallet holds; `lots` are open, in burn order.

    Without an account (nothing was ever granted or used) the balance is 0; `nano_usd_per_token` and `value_version` are
    None while no one has adopted the quarter's value. `factors` are those of the month's grant, as plain values.
    `company_account_id` is what paid for them outside the programme, None where it never did. It is settled once what
    lapsed on the month's first is taken. `held` is for calls that still run. `announced` is what was last said of the
    first of this month and of the next, by month.
    """

    person_id: str
    name: str
    time_zone: str
    account_id: int | None
    balance: int
    nano_usd_per_token: int | None
    value_version: str | None
    factors: object | None
    company_account_id: int | None
    is_settled: bool
    held: int
    lots: tuple[LotRow, ...]
    spent: tuple[ServiceSpend, ...]
    announced: Mapping[str, Announced]
    left_on: date | None


class Movement(NamedTuple):
    """One line of a wallet's statement, with the balance after it."""

    entry_id: int
    kind: EntryKind
    memo: str
    effective_at: datetime
    posted_at: datetime
    amount: MicroTokens
    balance: MicroTokens
    value_version: str | None


# Written out: as a parameter it would keep a prepared plan from the partial index of open lots.
_ZERO: sa.ColumnElement[int] = sa.literal_column("0")
_latest_value = (
    sa.select(token_values.c.version, token_values.c.nano_usd_per_token)
    .where(token_values.c.quarter == sa.bindparam("quarter"))
    .order_by(*LATEST_FIRST)
    .limit(sa.literal_column("1"))
    .subquery("latest_value")
)
_company = accounts.alias("company")
_settled = sa.exists().where(runs.c.job == sa.literal_column("'lapses'"), runs.c.period == sa.bindparam("month"))


def _spent(account: sa.ColumnElement[int]) -> sa.Select[Any]:
    """The columns of `ServiceSpend`, from one stretch of the roll-up's key."""
    w, d = wallet_days.c, usage_days.c
    # Where nothing was paid, the use was free, or a correction took all of it back.
    is_left = sa.exists().where(d.day == w.day, d.account_id == w.account_id, d.service_key == w.service_key)
    was_used = sa.or_(w.debit_micro_tokens != _ZERO, is_left)
    since_the_first, in_window = (
        sa.func.sum(sa.case((w.day >= sa.bindparam(first), w.debit_micro_tokens), else_=_ZERO))
        for first in ("month_begins", "window_begins")
    )
    query = sa.select(w.service_key, since_the_first, in_window, sa.func.min(w.day)).group_by(w.service_key)
    days = w.day.between(sa.bindparam("first_day"), sa.bindparam("today"))
    return query.where(w.account_id == account, days, was_used)


def _wallet(whose: sa.ColumnElement[bool]) -> bulk.Prepared:
    """One statement, so that everything in it is of the same instant, and on PostgreSQL one round trip."""
    person = sa.select(people.c.id).where(whose).correlate(None).scalar_subquery()
    account = sa.select(accounts.c.id).where(accounts.c.person_id == person).correlate(None).scalar_subquery()
    a = lapse_announcements.c
    announced = (
        sa.select(a.month, a.amount, a.carried_at_most)
        .where(a.person_id == person, a.month.in_((sa.bindparam("month"), sa.bindparam("next_month"))))
        .order_by(a.announced_on)
    )
    return bulk.Prepared(
        sa.select(
            people.c.id,
            people.c.name,
            people.c.time_zone,
            accounts.c.id,
            sa.func.coalesce(accounts.c.balance, _ZERO),
            _latest_value.c.nano_usd_per_token,
            _latest_value.c.version,
            grants.c.factors,
            _company.c.id,
            _settled,
            sa.func.coalesce(accounts.c.held, _ZERO),
            bulk.as_json(_spent(account)),
            bulk.as_json(announced),
            people.c.left_on,
            lots.c.kind,
            lots.c.amount,
            lots.c.remaining,
            lots.c.starts_at,
            lots.c.expires_at,
            lots.c.reason,
            lots.c.id,
        )
        .select_from(
            people.outerjoin(accounts, accounts.c.person_id == people.c.id)
            .outerjoin(lots, sa.and_(lots.c.account_id == accounts.c.id, lots.c.remaining > _ZERO))
            .outerjoin(_latest_value, sa.true())
            .outerjoin(_company, _company.c.code == sa.literal_column(f"'{COMPANY}'") + people.c.id)
            .outerjoin(grants, sa.and_(grants.c.month == sa.bindparam("month"), grants.c.person_id == people.c.id))
        )
        .where(whose)
        .order_by(lots.c.priority, lots.c.expires_at, lots.c.id)
    )


_WALLET_COLUMNS = 14
_wallet_by_slack = _wallet(people.c.slack_user_id == sa.bindparam("who"))
_wallet_by_email = _wallet(people.c.email == sa.bindparam("who"))


def of_slack_user(session: Session, slack_user_id: str, today: date) -> Wallet | None:
    """A person's wallet by Slack id; None for a stranger."""
    return _read(session, _wallet_by_slack, slack_user_id, today)


def of_email(session: Session, email: str, today: date) -> Wallet | None:
    return _read(session, _wallet_by_email, email.lower(), today)


def _read(session: Session, query: bulk.Prepared, who: str, today: date) -> Wallet | None:
    rows = query.execute(session, {"who": who, **_on(today, bulk.is_postgresql(session))})
    if not rows:
        return None
    # The outer join gives one row without a lot to a wallet that has none.
    open_lots = tuple([_lot(row[_WALLET_COLUMNS:]) for row in rows if row[_WALLET_COLUMNS] is not None])
    person_id, name, zone, account_id, balance, nano_usd, version, *rest = rows[0][:_WALLET_COLUMNS]
    factors, company_account_id, settled, held, spent, announced, left_on = rest
    return Wallet(
        person_id,
        name,
        zone,
        account_id,
        balance,
        nano_usd,
        version,
        # The drivers differ in who reads JSON.
        json.loads(factors) if isinstance(factors, str) else factors,
        company_account_id,
        bool(settled),
        held,
        open_lots,
        _spends.decode(spent) if spent else (),
        {month: Announced(*told) for month, *told in _announcements.decode(announced)} if announced else {},
        left_on and bulk.read_day(left_on),
    )


def _lot(columns: Sequence[Any]) -> LotRow:
    kind, amount, remaining, starts_at, expires_at, reason, id_ = columns
    begin, end = bulk.read_instant(starts_at), bulk.read_instant(expires_at)
    return LotRow(LotKind(kind), amount, remaining, begin, end, reason, id_)


_spends = msgspec.json.Decoder(tuple[ServiceSpend, ...])
_announcements = msgspec.json.Decoder(list[tuple[str, int, int]])
_spent_by_account = bulk.Prepared(_spent(sa.bindparam("account_id")))


def spend(session: Session, account_id: int, today: date) -> list[ServiceSpend]:
    """What each service took from an account, over this month and over the pace's window."""
    marks = {"account_id": account_id, **_on(today, bulk.is_postgresql(session))}
    rows = _spent_by_account.execute(session, marks)
    return [ServiceSpend(key, int(month), int(window), bulk.read_day(first)) for key, month, window, first in rows]


@lru_cache(maxsize=8)
def _on(today: date, as_dates: bool) -> dict[str, Any]:  # noqa: FBT001 - how the driver takes days
    """The months and days that a balance of a day is about."""
    month = Month.containing(today)
    days = {
        "month_begins": month.first_day,
        "window_begins": today - timedelta(days=PACE_DAYS - 1),
        "first_day": today - timedelta(days=SPEND_DAYS - 1),
        "today": today,
    }
    names = {"month": str(month), "next_month": str(month.next()), "quarter": str(month.quarter)}
    return names | (days if as_dates else {name: day.isoformat() for name, day in days.items()})


def account_of(session: Session, person_id: str) -> int | None:
    query = sa.select(accounts.c.id).where(accounts.c.person_id == person_id)
    return session.execute(query).scalar_one_or_none()


def company_account_of(session: Session, person_id: str) -> int | None:
    """The part of the company's account that pays for a person outside the programme; None while it never did."""
    query = sa.select(accounts.c.id).where(accounts.c.code == company_code(person_id))
    return session.execute(query).scalar_one_or_none()


def latest_credit(session: Session, account_id: int) -> int:
    """The version of an account at which something last came in; 0 where nothing ever did."""
    p = postings.c
    query = sa.select(p.version).where(p.account_id == account_id, p.amount > 0).order_by(p.version.desc()).limit(1)
    return session.execute(query).scalar_one_or_none() or 0


def totals(session: Session, account_id: int) -> dict[EntryKind, MicroTokens]:
    """The sum of all postings of a wallet by the kind of their entries; together they are its balance."""
    query = sa.select(entries.c.kind, sa.func.sum(postings.c.amount)).join_from(postings, entries)
    query = query.where(postings.c.account_id == account_id).group_by(entries.c.kind)
    return {EntryKind(kind): MicroTokens(total) for kind, total in session.execute(query)}


def movements(
    session: Session,
    account_id: int,
    *,
    begin: datetime | None = None,
    end: datetime | None = None,
) -> list[Movement]:
    """Lines of a wallet's statement, the latest first; `begin` and `end` bound when they were posted."""
    e, p = entries.c, postings.c
    query = (
        sa.select(e.id, e.kind, e.memo, e.effective_at, e.posted_at, p.amount, p.balance, e.value_version)
        .join_from(postings, entries)
        .where(p.account_id == account_id)
        .order_by(p.version.desc())
    )
    if begin is not None and end is not None:
        query = query.where(e.posted_at >= begin, e.posted_at < end)
    return [_movement(*row) for row in session.execute(query)]


def _movement(entry_id: int, kind: str, *rest: Any) -> Movement:  # noqa: ANN401 - the columns of a row
    memo, effective_at, posted_at, amount, balance, value = rest
    amounts = MicroTokens(int(amount)), MicroTokens(balance)
    return Movement(entry_id, EntryKind(kind), memo, effective_at, posted_at, *amounts, value)


def latest_debits(session: Session, account_id: int, *, limit: int) -> list[Movement]:
    """The latest debits for usage of which something stands, each less what corrections have undone of it."""
    e, p = entries.c, postings.c
    reversal, back = entries.alias("reversal"), postings.alias("back")
    undone = (
        sa.select(sa.func.coalesce(sa.func.sum(back.c.amount), 0))
        .join_from(reversal, back, back.c.entry_id == reversal.c.id)
        .where(reversal.c.corrects_entry_id == e.id, reversal.c.kind == EntryKind.REVERSAL)
        .where(back.c.account_id == account_id)
        .scalar_subquery()
    )
    query = (
        sa.select(e.id, e.kind, e.memo, e.effective_at, e.posted_at, p.amount + undone, p.balance, e.value_version)
        .join_from(postings, entries)
        .where(p.account_id == account_id, e.kind == EntryKind.USAGE, p.amount + undone != 0)
        .order_by(p.version.desc())
        .limit(limit)
    )
    return [_movement(*row) for row in session.execute(query)]


def granted_between(session: Session, account_id: int, begin: datetime, end: datetime) -> MicroTokens:
    """The sum of the lots that started in a period: all were granted, but for what a correction gave back."""
    c = lots.c
    query = sa.select(sa.func.coalesce(sa.func.sum(c.amount), 0))
    query = query.where(c.account_id == account_id, c.starts_at >= begin, c.starts_at < end, c.kind != LotKind.RETURNED)
    return MicroTokens(session.execute(query).scalar_one())


def balance_before(session: Session, account_id: int, instant: datetime) -> MicroTokens:
    """What a wallet held just before an instant."""
    query = (
        sa.select(postings.c.balance)
        .join_from(postings, entries)
        .where(postings.c.account_id == account_id, entries.c.posted_at < instant)
        .order_by(postings.c.version.desc())
        .limit(1)
    )
    return MicroTokens(session.execute(query).scalar_one_or_none() or 0)


class Flow(NamedTuple):
    """Micro-tokens that came into a wallet or left it otherwise than by usage; `at` is from when on that holds."""

    at: datetime
    amount: int
    is_lot: bool


def flows_since(session: Session, account_id: int, instant: datetime) -> list[Flow]:
    """What was posted to a wallet since an instant, but for usage.

    A lot counts from its start, and what is closed of one from its end, whenever that was done. The account's versions
    grow with time, so that what was posted before is not read.
    """
    before = (
        sa.select(postings.c.version)
        .join_from(postings, entries)
        .where(postings.c.account_id == account_id, entries.c.posted_at < instant)
        .order_by(postings.c.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    taken = lots.alias("taken")
    query = (
        sa.select(
            postings.c.version,
            entries.c.effective_at,
            postings.c.amount,
            lots.c.starts_at,
            lot_movements.c.amount,
            taken.c.expires_at,
        )
        .join_from(postings, entries)
        .outerjoin(lots, sa.and_(lots.c.entry_id == entries.c.id, lots.c.account_id == postings.c.account_id))
        .outerjoin(lot_movements, sa.and_(lots.c.id.is_(None), lot_movements.c.entry_id == entries.c.id))
        .outerjoin(taken, taken.c.id == lot_movements.c.lot_id)
        .where(postings.c.account_id == account_id, postings.c.version > sa.func.coalesce(before, 0))
        .where(entries.c.kind.not_in((EntryKind.USAGE, EntryKind.REVERSAL)))
        .order_by(postings.c.version)
    )
    flows: list[Flow] = []
    rest: dict[int, Flow] = {}
    for version, at, amount, starts_at, part, expires_at in session.execute(query):
        whole = rest.setdefault(version, Flow(starts_at or at, amount, starts_at is not None))
        if part is not None:
            flows.append(Flow(min(at, expires_at), -part, is_lot=False))
            rest[version] = whole._replace(amount=whole.amount + part)
    return flows + [flow for flow in rest.values() if flow.amount]
