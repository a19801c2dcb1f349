"""What a month comes to in the books: which entries it has, and the pairs of accounts that they move USD between.

An entry belongs to the month in which it took effect. What is posted once that month is closed belongs to the next
month that is closed, as a correction of the earlier one. So every entry is in exactly one journal, and none changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from policy.period import Month, day_of
from policy.units import MICRO_PER_TOKEN, divide_half_even
from store.closings import records
from store.handbook import reference
from store.ledger.ledger import COMPANY, THE_COMPANY
from store.tables.ledger import accounts, entries, postings
from store.tables.value import usd_entries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from store.closings.records import Closing
    from store.engine import Session

CENT = 10_000_000
"""Nano-USD; accounting systems take no less."""
WALLETS, COMPANY_PAYS, SERVICE = "wallets", "company", "service:"

_a = accounts.c


class Line(NamedTuple):
    """USD that a month moves from the account that is debited to the one that is credited, in cents.

    `corrects` is the closed month that it belongs to, or empty.
    """

    kind: str
    debit: str
    credit: str
    cents: int
    micro_tokens: int
    entries: int
    corrects: str


class Reach(NamedTuple):
    """Up to which entries a month reaches, and after which the ones begin that an earlier month has not."""

    month: Month
    after: int
    after_usd: int
    last: int
    last_usd: int


def hold(session: Session) -> None:
    """Wait for every entry that is under way, and let none begin until the transaction ends.

    Each takes its accounts before it takes its number, and touches one that is no wallet.
    """
    own = sa.or_(_a.code.in_(("treasury", "pool", "expired")), _a.code.startswith(SERVICE))
    session.execute(sa.select(_a.id).where(own).order_by(_a.id).with_for_update(key_share=True)).all()


def reach(session: Session, month: Month) -> Reach:
    """How far a month would reach if it were closed now; the caller holds the accounts."""
    before = [one for one in records.all_closed(session) if one.month < str(month)]
    last = session.execute(sa.select(sa.func.coalesce(sa.func.max(entries.c.id), 0))).scalar_one()
    last_usd = session.execute(sa.select(sa.func.coalesce(sa.func.max(usd_entries.c.id), 0))).scalar_one()
    return _reach(month, before, last, last_usd)


def reach_of(session: Session, closing: Closing) -> Reach:
    """How far a closed month reaches."""
    before = [one for one in records.all_closed(session) if one.month < closing.month]
    return _reach(Month.parse(closing.month), before, closing.last_entry_id, closing.last_usd_entry_id)


def _reach(month: Month, before: list[Closing], last: int, last_usd: int) -> Reach:
    previous = before[-1] if before else None
    after, after_usd = (previous.last_entry_id, previous.last_usd_entry_id) if previous else (last, last_usd)
    return Reach(month, after, after_usd, last, last_usd)


def journal(session: Session, of: Reach, zone: ZoneInfo) -> list[Line]:
    """The lines of a month: debits equal credits, because each line is both."""
    begin, end = of.month.bounds(zone)
    e, u = entries.c, usd_entries.c
    own = [e.effective_at >= begin, e.effective_at < end, e.id <= of.last]
    lines = _lines(session, own, of.month, "")
    for month, first, until in _late_months(session, of, begin, zone):
        late = [e.effective_at >= first, e.effective_at < until, e.id > of.after, e.id <= of.last]
        lines += _lines(session, late, month, str(month))
    held = [u.posted_at >= begin, u.posted_at < end, u.id <= of.last_usd]
    lines += _usd_lines(session, held, "")
    lines += _usd_lines(session, [u.posted_at < begin, u.id > of.after_usd, u.id <= of.last_usd], "earlier")
    return sorted(lines, key=lambda one: (one.corrects, one.kind, one.debit, one.credit))


def _late_months(
    session: Session, of: Reach, begin: datetime, zone: ZoneInfo
) -> Iterator[tuple[Month, datetime, datetime]]:
    """Earlier months that something was posted to after the last closing, with their bounds."""
    e = entries.c
    oldest = session.execute(
        sa.select(sa.func.min(e.effective_at)).where(e.id > of.after, e.id <= of.last, e.effective_at < begin)
    ).scalar_one()
    month = Month.containing(day_of(oldest, zone)) if oldest else of.month
    while month < of.month:
        yield (month, *month.bounds(zone))
        month = month.next()


def _lines(session: Session, which: list[sa.ColumnElement[bool]], month: Month, corrects: str) -> list[Line]:
    """Entries as pairs: each has one account that gives, or one that takes."""
    gives, takes = postings.alias("gives"), postings.alias("takes")
    giver, taker = accounts.alias("giver"), accounts.alias("taker")
    smaller = sa.case((-gives.c.amount < takes.c.amount, -gives.c.amount), else_=takes.c.amount)
    e = entries.c
    columns = (e.kind, e.value_version, _class(giver), _class(taker))
    query = (
        sa.select(*columns, sa.func.sum(smaller), sa.func.count())
        .select_from(entries)
        .join(gives, sa.and_(gives.c.entry_id == e.id, gives.c.amount < 0))
        .join(takes, sa.and_(takes.c.entry_id == e.id, takes.c.amount > 0))
        .join(giver, giver.c.id == gives.c.account_id)
        .join(taker, taker.c.id == takes.c.account_id)
        .where(*which)
        .group_by(*columns)
    )
    values = {version: value.nano_usd_per_token for version, value in reference.values_by_version(session).items()}
    usual = reference.values_until(session, month.quarter)
    found: dict[tuple[str, str, str], tuple[int, int, int]] = {}
    for kind, version, giver_class, taker_class, tokens, count in session.execute(query):
        per_token = values.get(version) or (usual[-1].nano_usd_per_token if usual else 0)
        nano, sums = int(tokens) * per_token, found.get((kind, giver_class, taker_class), (0, 0, 0))
        found[kind, giver_class, taker_class] = (sums[0] + nano, sums[1] + int(tokens), sums[2] + int(count))
    return [
        Line(kind, debit, credit, divide_half_even(nano, MICRO_PER_TOKEN * CENT), tokens, count, corrects)
        for (kind, debit, credit), (nano, tokens, count) in found.items()
    ]


def _class(account: Any) -> sa.ColumnElement[str]:  # noqa: ANN401 - an alias of accounts
    c = account.c
    company = sa.or_(c.code == THE_COMPANY, c.code.startswith(COMPANY))
    return sa.case(
        (c.person_id.is_not(None), sa.literal_column(f"'{WALLETS}'")),
        (company, sa.literal_column(f"'{COMPANY_PAYS}'")),
        else_=c.code,
    )


def _usd_lines(session: Session, which: list[sa.ColumnElement[bool]], corrects: str) -> list[Line]:
    u = usd_entries.c
    columns = (u.kind, u.debit_account, u.credit_account)
    query = sa.select(*columns, sa.func.sum(u.amount_nano_usd), sa.func.count()).where(*which).group_by(*columns)
    return [
        Line(kind, f"usd:{debit}", f"usd:{credit}", divide_half_even(int(nano), CENT), 0, int(count), corrects)
        for kind, debit, credit, nano, count in session.execute(query)
    ]


def outstanding(session: Session, of: Reach, zone: ZoneInfo) -> int:
    """Micro-tokens in all wallets at a month's end, debts taken off, as far as the month knows."""
    end = of.month.bounds(zone)[1]
    query = (
        sa.select(sa.func.coalesce(sa.func.sum(postings.c.amount), 0))
        .join_from(postings, entries, entries.c.id == postings.c.entry_id)
        .join(accounts, _a.id == postings.c.account_id)
        .where(_a.person_id.is_not(None), entries.c.effective_at < end, entries.c.id <= of.last)
    )
    return int(session.execute(query).scalar_one())


def content(session: Session, of: Reach, zone: ZoneInfo) -> dict[str, Any]:
    """A month as it is kept: its lines, and what it leaves outstanding."""
    lines = [one._asdict() for one in journal(session, of, zone)]
    tokens = outstanding(session, of, zone)
    value = reference.values_until(session, of.month.quarter)
    nano = tokens * value[-1].nano_usd_per_token if value else 0
    cents = divide_half_even(nano, MICRO_PER_TOKEN * CENT)
    return {"lines": lines, "outstanding_micro_tokens": tokens, "liability_cents": cents}
