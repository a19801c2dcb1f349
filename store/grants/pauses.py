"""Whose lots stand still while they are away, and the ends of those lots: as granted, and as moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.kinds import LotKind
from store import bulk
from store.tables.ledger import accounts, lots
from store.tables.people import absences

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from policy.leaves import Leave
    from store.engine import Session


class Running(NamedTuple):
    """A lot whose clock may stand still; `granted_until` is its end as it was granted."""

    id: int
    person_id: str
    entry_id: int
    starts_at: datetime
    expires_at: datetime
    granted_until: datetime


def away_since(session: Session, day: date) -> set[str]:
    """Those who are away on a day or later, and those of whom a leave was never counted."""
    a = absences.c
    query = sa.select(a.person_id).where(sa.or_(a.last_day.is_(None), a.last_day >= day, a.counted_at.is_(None)))
    return set(session.execute(query.distinct()).scalars())


def leaves_of(session: Session, person_ids: Iterable[str]) -> dict[str, list[Leave]]:
    """All leaves of some people."""
    found: dict[str, list[Leave]] = {}
    a = absences.c
    for some in bulk.chunks(sorted(person_ids)):
        query = sa.select(a.person_id, a.first_day, a.last_day).where(a.person_id.in_(some))
        for person_id, first, last in session.execute(query):
            found.setdefault(person_id, []).append((first, last))
    return found


def wallets_of(session: Session, person_ids: Iterable[str]) -> set[int]:
    found: set[int] = set()
    for some in bulk.chunks(sorted(person_ids)):
        found.update(session.execute(sa.select(accounts.c.id).where(accounts.c.person_id.in_(some))).scalars())
    return found


def running(session: Session, person_ids: Iterable[str]) -> list[Running]:
    """The lots of some people, but for exceptions: those end on a day that was decided."""
    c = lots.c
    found: list[Running] = []
    for some in bulk.chunks(sorted(person_ids)):
        until = sa.func.coalesce(c.granted_until, c.expires_at, type_=c.expires_at.type)
        query = sa.select(c.id, accounts.c.person_id, c.entry_id, c.starts_at, c.expires_at, until)
        query = query.join(accounts, accounts.c.id == c.account_id).where(accounts.c.person_id.in_(some))
        rows = session.execute(query.where(c.kind != LotKind.EXCEPTION).order_by(c.id))
        found += [Running(*row) for row in rows]
    return found


def move(session: Session, moved: Sequence[tuple[Running, datetime]]) -> None:
    """Let lots end at other instants, and keep until when they were granted."""
    at = bulk.instant_codec(session)
    rows = [
        (lot.id, at(end), None if end == lot.granted_until else at(lot.granted_until))
        for lot, end in sorted(moved, key=lambda one: one[0].id)
    ]
    bulk.update(session, lots, ("id", "expires_at", "granted_until"), rows)


def counted(session: Session, person_ids: Iterable[str], *, now: datetime) -> None:
    """Note up to when the leaves of some people are counted."""
    for some in bulk.chunks(sorted(person_ids)):
        session.execute(sa.update(absences).where(absences.c.person_id.in_(some)).values(counted_at=now))
