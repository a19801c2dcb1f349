"""What lapses on a first: what was announced of it, and what was left of lots just then."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from policy.kinds import EntryKind
from store import bulk
from store.grants.monthly import Holding, holding
from store.ledger.wallets import Announced
from store.tables.grants import grants, lapse_announcements
from store.tables.ledger import accounts, entries, lot_movements, lots, postings
from store.tables.usage import usage_days

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from policy.period import Month
    from store.engine import Session

USED = (EntryKind.USAGE, EntryKind.REVERSAL)


class NewAnnouncement(NamedTuple):
    """An announcement to keep."""

    month: str
    person_id: str
    announced_on: object
    amount: int
    carried_at_most: int


def announced(session: Session, month: Month) -> dict[str, Announced]:
    """What was announced last for a month's first, by person."""
    a = lapse_announcements.c
    query = sa.select(a.person_id, a.amount, a.carried_at_most).where(a.month == str(month)).order_by(a.announced_on)
    return {id_: Announced(amount, at_most) for id_, amount, at_most in session.execute(query)}


def announce(session: Session, month: Month, day: date, changed: Iterable[tuple[str, Announced]]) -> None:
    """Keep what is announced on a day; an announcement of a day is never changed."""
    on = bulk.day_codec(session)(day)
    rows = [NewAnnouncement(str(month), person_id, on, *one) for person_id, one in changed]
    bulk.insert_missing(session, lapse_announcements, NewAnnouncement._fields, rows)


def factors(session: Session, month: Month, person_ids: Iterable[str]) -> dict[str, object]:
    """The factors of a month's grants of some people."""
    found: dict[str, object] = {}
    for some in bulk.chunks(sorted(person_ids)):
        query = sa.select(grants.c.person_id, grants.c.factors).where(grants.c.month == str(month))
        found.update((id_, factors) for id_, factors in session.execute(query.where(grants.c.person_id.in_(some))))
    return found


class Living(NamedTuple):
    """A lot that lives on after an instant, and what of it was used of in entries posted since.

    `late` is the part of `used` for use from before the instant. A lot may be used up by now.
    """

    holding: Holding
    priority: int
    is_older: bool
    used: int
    late: int


def living(session: Session, at: datetime, person_ids: Iterable[str]) -> list[Living]:
    """The lots of some people that had not ended at an instant, in burn order.

    Reads what was posted since, from the latest entry back, and the lots of these people.
    """
    found = []
    for some in bulk.chunks(sorted(person_ids)):
        for *columns, priority, starts_at, used, late in session.execute(_living(session, at, some)):
            found.append(Living(holding(*columns), priority, starts_at < at, int(used), int(late)))
    return found


def _living(session: Session, at: datetime, person_ids: list[str]) -> sa.Select[Any]:
    e, m = entries.c, lot_movements.c
    late = sa.case((e.effective_at < at, m.amount), else_=0)
    since = (
        sa.select(m.lot_id, sa.func.sum(m.amount).label("used"), sa.func.sum(late).label("late"))
        .join_from(postings, accounts, accounts.c.id == postings.c.account_id)
        .join(entries, e.id == postings.c.entry_id)
        .join(lot_movements, m.entry_id == e.id)
        .where(accounts.c.person_id.in_(person_ids), postings.c.entry_id > _last_before(session, at))
        .where(e.posted_at >= at, e.kind.in_(USED))
        .group_by(m.lot_id)
        .subquery()
    )
    used, of_before = (sa.func.coalesce(column, 0) for column in (since.c.used, since.c.late))
    c = lots.c
    return (
        sa.select(
            c.account_id,
            accounts.c.person_id,
            c.id,
            c.kind,
            c.expires_at,
            c.remaining,
            c.reason,
            c.priority,
            c.starts_at,
            used,
            of_before,
        )
        .select_from(lots.join(accounts, accounts.c.id == c.account_id).outerjoin(since, since.c.lot_id == c.id))
        .where(accounts.c.person_id.in_(person_ids), c.expires_at > at)
        .where(sa.or_(c.remaining > 0, since.c.lot_id.is_not(None)))
        .order_by(c.priority, c.expires_at, c.id)
    )


def _last_before(session: Session, at: datetime) -> int:
    """An entry from before an instant: ids grow with time, but for transactions that run side by side."""
    query = sa.select(entries.c.id).where(entries.c.posted_at < at - timedelta(hours=1))
    found: int | None = session.execute(query.order_by(entries.c.id.desc()).limit(1)).scalar_one_or_none()
    return found or 0


class Pace(NamedTuple):
    """Micro-tokens used in a window of days, and the first of them with use."""

    spent: int
    first_day: date


def paces(session: Session, account_ids: Iterable[int], *, first_day: date) -> dict[int, Pace]:
    """What each of some wallets used since a day; those that used nothing are left out."""
    d = usage_days.c
    found: dict[int, Pace] = {}
    for some in bulk.chunks(sorted(account_ids)):
        query = sa.select(d.account_id, sa.func.sum(d.debit_micro_tokens), sa.func.min(d.day))
        query = query.where(d.day >= first_day, d.account_id.in_(some)).group_by(d.account_id)
        found.update((id_, Pace(int(spent), first)) for id_, spent, first in session.execute(query))
    return found
