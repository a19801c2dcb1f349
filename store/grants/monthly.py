"""What a run of monthly grants reads and writes, set by set: holdings, utilisation, grants, the month's spend."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.kinds import EntryKind, LotKind
from policy.units import MicroTokens, NanoUSD
from store import bulk
from store.ledger.ledger import COMPANY, THE_COMPANY
from store.tables.grants import grants
from store.tables.ledger import accounts, entries, lot_movements, lots
from store.tables.usage import services, usage_days
from store.tables.value import usd_entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from policy.period import Month
    from store.engine import Session

BURNING = (EntryKind.USAGE, EntryKind.REVERSAL, EntryKind.GRANT)
"""Kinds of entries by which grants are used: also what is undone of it, and debt that a grant settles."""


class Holding(NamedTuple):
    """An open lot of someone's wallet."""

    account_id: int
    person_id: str
    lot_id: int
    kind: LotKind
    expires_at: datetime
    remaining: int
    reason: str


def holding(  # noqa: PLR0917 - the columns of a row
    account_id: int, person_id: str, lot_id: int, kind: str, expires_at: datetime, remaining: int, reason: str
) -> Holding:
    return Holding(account_id, person_id, lot_id, LotKind(kind), expires_at, remaining, reason)


def last_posted_at(session: Session, person_id: str) -> datetime | None:
    """When someone's last grant was posted, by the clock of the run that did so."""
    query = sa.select(sa.func.max(entries.c.posted_at)).join(grants, grants.c.entry_id == entries.c.id)
    found: datetime | None = session.execute(query.where(grants.c.person_id == person_id)).scalar_one()
    return found


def holdings(session: Session, *, ended_before: datetime | None = None) -> list[Holding]:
    """Open lots of all wallets in the order in which they end; with `ended_before` only those that ended by then."""
    query = (
        sa.select(
            lots.c.account_id,
            accounts.c.person_id,
            lots.c.id,
            lots.c.kind,
            lots.c.expires_at,
            lots.c.remaining,
            lots.c.reason,
        )
        .join(accounts, accounts.c.id == lots.c.account_id)
        .where(lots.c.remaining > 0, accounts.c.person_id.is_not(None))
        .order_by(lots.c.expires_at, lots.c.id)
    )
    if ended_before is not None:
        query = query.where(lots.c.expires_at <= ended_before)
    return [holding(*row) for row in session.execute(query)]


def settled(session: Session, entry_ids: Iterable[int]) -> dict[int, int]:
    """What of each entry's own lot went into debt at once, by entry; those that found no debt are left out."""
    found: dict[int, int] = {}
    query = sa.select(lots.c.entry_id, lot_movements.c.amount).join(
        lot_movements, sa.and_(lot_movements.c.entry_id == lots.c.entry_id, lot_movements.c.lot_id == lots.c.id)
    )
    for some in bulk.chunks(entry_ids):
        found.update((entry_id, amount) for entry_id, amount in session.execute(query.where(lots.c.entry_id.in_(some))))
    return found


def utilisation(session: Session, begin: datetime, end: datetime) -> dict[str, tuple[int, int]]:
    """(burnt, granted) of regular grants between two instants, by person; debt that a grant settled was spent too."""
    granted = (
        sa.select(accounts.c.person_id, sa.func.sum(lots.c.amount))
        .join(accounts, accounts.c.id == lots.c.account_id)
        .where(lots.c.kind == LotKind.MONTHLY, lots.c.starts_at >= begin, lots.c.starts_at < end)
        .group_by(accounts.c.person_id)
    )
    burnt = (
        sa.select(accounts.c.person_id, sa.func.sum(lot_movements.c.amount))
        .select_from(lot_movements.join(lots).join(accounts, accounts.c.id == lots.c.account_id))
        .join(entries, entries.c.id == lot_movements.c.entry_id)
        .where(lots.c.kind == LotKind.MONTHLY, entries.c.kind.in_(BURNING))
        .where(entries.c.effective_at >= begin, entries.c.effective_at < end)
        .group_by(accounts.c.person_id)
    )
    spent = {person_id: int(total) for person_id, total in session.execute(burnt)}
    return {person_id: (spent.get(person_id, 0), int(total)) for person_id, total in session.execute(granted)}


def granted(session: Session, month: Month) -> dict[str, int]:
    """Each person's grant of a month, in micro-tokens."""
    query = sa.select(grants.c.person_id, grants.c.amount).where(grants.c.month == str(month))
    return {person_id: amount for person_id, amount in session.execute(query)}


def granted_in_others(session: Session, month: Month) -> set[str]:
    """Who has a grant of any other month than this one."""
    query = sa.select(grants.c.person_id).where(grants.c.month != str(month)).distinct()
    return set(session.execute(query).scalars())


def latest(session: Session, person_ids: Iterable[str]) -> dict[str, object]:
    """The factors of each one's latest monthly grant; people who never had one are left out."""
    found: dict[str, object] = {}
    for some in bulk.chunks(sorted(person_ids)):
        last = sa.select(grants.c.person_id, sa.func.max(grants.c.month).label("month"))
        last_of = last.where(grants.c.person_id.in_(some)).group_by(grants.c.person_id).subquery()
        its = sa.and_(last_of.c.person_id == grants.c.person_id, last_of.c.month == grants.c.month)
        query = sa.select(grants.c.person_id, grants.c.factors).join(last_of, its)
        found.update((person_id, factors) for person_id, factors in session.execute(query))
    return found


def latest_amount(session: Session, person_id: str, month: Month) -> MicroTokens:
    """What someone was granted for a month, or for the last one before it; nothing for who never was."""
    rows = _latest_amount.execute(session, {"person": person_id, "until": str(month)})
    return MicroTokens(rows[0][0] if rows else 0)


_latest_amount = bulk.Prepared(
    sa.select(grants.c.amount)
    .where(grants.c.person_id == sa.bindparam("person"), grants.c.month <= sa.bindparam("until"))
    .order_by(grants.c.month.desc())
    .limit(1)
)


def latest_issue(session: Session) -> NanoUSD:
    """What the latest month's grants took of its budget."""
    month = session.execute(sa.select(sa.func.max(grants.c.month))).scalar_one_or_none()
    issued = sa.select(sa.func.coalesce(sa.func.sum(grants.c.issued_nano_usd), 0)).where(grants.c.month == month)
    return NanoUSD(int(session.execute(issued).scalar_one()))


def median_grant(session: Session) -> MicroTokens:
    """The median of the latest month's grants, the lower of the two in the middle; 0 where there are none."""
    latest = sa.select(sa.func.max(grants.c.month)).scalar_subquery()
    count = session.execute(sa.select(sa.func.count()).where(grants.c.month == latest)).scalar_one()
    middle = sa.select(grants.c.amount).where(grants.c.month == latest).order_by(grants.c.amount)
    found = session.execute(middle.offset(max(count - 1, 0) // 2).limit(1)).scalar_one_or_none()
    return MicroTokens(found or 0)


class Totals(NamedTuple):
    """What a month's grants come to: what people were entitled to, and what was taken of the budget."""

    entitled: NanoUSD
    issued: NanoUSD


def totals(session: Session, month: Month) -> Totals:
    """The sums of a month's grants."""
    entitled, issued = (
        sa.func.coalesce(sa.func.sum(grants.c.entitled_nano_usd), 0),
        sa.func.coalesce(sa.func.sum(grants.c.issued_nano_usd), 0),
    )
    row = session.execute(sa.select(entitled, issued).where(grants.c.month == str(month))).one()
    return Totals(*(NanoUSD(int(total)) for total in row))


def cost(session: Session, month: Month) -> NanoUSD:
    """What everyone's usage of a month cost."""
    d = usage_days.c
    query = sa.select(sa.func.coalesce(sa.func.sum(d.cost_nano_usd), 0))
    query = query.where(d.day >= month.first_day, d.day < month.next().first_day)
    return NanoUSD(int(session.execute(query).scalar_one()))


def factors_of_anybody(session: Session, month: Month) -> object | None:
    """The factors of one of a month's grants: the budget's share in them is everyone's."""
    query = sa.select(grants.c.factors).where(grants.c.month == str(month)).limit(1)
    factors: object | None = session.execute(query).scalar_one_or_none()
    return factors


class NewGrant(NamedTuple):
    """A monthly grant to keep; `factors` as JSON text."""

    month: str
    person_id: str
    entry_id: int
    amount: int
    entitled_nano_usd: int
    issued_nano_usd: int
    factors: str
    handbook_version: str
    value_version: str


def insert(session: Session, rows: Sequence[NewGrant]) -> None:
    """Keep grants."""
    bulk.insert(session, grants, NewGrant._fields, rows)


def hold_back(session: Session, *, key: str, amount: NanoUSD, value_version: str, actor: str, now: datetime) -> None:
    """Note in the buffer's book what an issue held back."""
    if amount:
        session.execute(
            sa.insert(usd_entries).values(
                kind="held_back",
                idempotency_key=key,
                posted_at=now,
                memo="Held back at issue",
                actor=actor,
                value_version=value_version,
                debit_account="budget",
                credit_account="buffer",
                amount_nano_usd=int(amount),
            )
        )


class Spend(NamedTuple):
    """What was spent on a day on a service within a project."""

    day: date
    service: str
    kind: str
    project: str
    spent: int


def spend(session: Session, month: Month) -> list[Spend]:
    """A month's spend by day, service and project, of everyone together."""
    d = usage_days.c
    query = (
        sa.select(d.day, services.c.name, services.c.kind, d.project, sa.func.sum(d.debit_micro_tokens))
        .join(services, services.c.key == d.service_key)
        .where(d.day >= month.first_day, d.day < month.next().first_day)
        .group_by(d.day, services.c.name, services.c.kind, d.project)
        .order_by(d.day)
    )
    return [Spend(*row[:4], int(row[4])) for row in session.execute(query)]


_user = sa.func.coalesce(
    accounts.c.person_id,
    sa.case((accounts.c.code != THE_COMPANY, sa.func.substr(accounts.c.code, len(COMPANY) + 1))),
)
"""Whose use an account pays for: a person counts once, also where the company paid for a part of it.

Nobody is counted for what is a project's alone."""


class Spender(NamedTuple):
    """Someone who spent on a service within a project."""

    person_id: str
    service: str
    kind: str
    project: str


def spenders(session: Session, month: Month) -> list[Spender]:
    """Who spent on what in a month, each combination once."""
    d = usage_days.c
    query = (
        sa.select(_user, services.c.name, services.c.kind, d.project)
        .select_from(usage_days)
        .join(services, services.c.key == d.service_key)
        .join(accounts, accounts.c.id == d.account_id)
        .where(d.day >= month.first_day, d.day < month.next().first_day, d.debit_micro_tokens > 0)
        .where(_user.is_not(None))
        .distinct()
    )
    return [Spender(*row) for row in session.execute(query)]


def spenders_by_day(session: Session, month: Month) -> dict[date, int]:
    """How many people spent on each day of a month."""
    d = usage_days.c
    people = sa.func.count(sa.distinct(_user))
    query = sa.select(d.day, people).join_from(usage_days, accounts, accounts.c.id == d.account_id)
    query = query.where(d.day >= month.first_day, d.day < month.next().first_day, d.debit_micro_tokens > 0)
    return {day: count for day, count in session.execute(query.group_by(d.day))}


def count_spenders_on(session: Session, days: Sequence[date]) -> int:
    """How many people spent on any of some days."""
    d = usage_days.c
    query = sa.select(sa.func.count(sa.distinct(_user))).join_from(usage_days, accounts, accounts.c.id == d.account_id)
    return session.execute(query.where(d.day.in_(days), d.debit_micro_tokens > 0)).scalar_one()
