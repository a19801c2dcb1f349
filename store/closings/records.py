"""Months that were closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from store.tables.closings import closings

if TYPE_CHECKING:
    from datetime import datetime

    from store.engine import Session

_c = closings.c


class Closing(NamedTuple):
    """A closed month: up to which entries it reaches, what it came to, and by which digest that is known."""

    month: str
    closed_at: datetime
    closed_by: str
    last_entry_id: int
    last_usd_entry_id: int
    journal: dict[str, Any]
    findings: list[dict[str, Any]]
    digest: str


def closed_months(session: Session) -> set[str]:
    return set(session.execute(sa.select(_c.month)).scalars())


def all_closed(session: Session) -> list[Closing]:
    """Every closed month, in order."""
    rows = session.execute(sa.select(*(_c[name] for name in Closing._fields)).order_by(_c.month))
    return [Closing._make(row) for row in rows]


def get(session: Session, month: str) -> Closing | None:
    query = sa.select(*(_c[name] for name in Closing._fields)).where(_c.month == month)
    row = session.execute(query).one_or_none()
    return Closing._make(row) if row else None


def add(session: Session, closing: Closing) -> None:
    session.execute(sa.insert(closings).values(**closing._asdict()))
