"""Large corrections that one person from finance asked for, and that wait for a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store.tables.finance import large_corrections

if TYPE_CHECKING:
    from datetime import datetime

    from store.engine import Session

_c = large_corrections.c


class Asked(NamedTuple):
    """What was asked for: a digest of what would be done, what that is, what it comes to, by whom and when."""

    digest: str
    what: str
    amount_nano_usd: int
    asked_by: str
    asked_at: datetime


def get(session: Session, digest: str, *, lock: bool = False) -> Asked | None:
    query = sa.select(*(_c[name] for name in Asked._fields)).where(_c.digest == digest)
    row = session.execute(query.with_for_update() if lock else query).one_or_none()
    return Asked(*row) if row else None


def keep(session: Session, asked: Asked) -> None:
    """Let it be what was asked for last."""
    forget(session, asked.digest)
    session.execute(sa.insert(large_corrections).values(**asked._asdict()))


def forget(session: Session, digest: str) -> None:
    session.execute(sa.delete(large_corrections).where(_c.digest == digest))


def waiting(session: Session) -> list[Asked]:
    """Everything that waits, the oldest first."""
    rows = session.execute(sa.select(*(_c[name] for name in Asked._fields)).order_by(_c.asked_at, _c.digest))
    return [Asked(*row) for row in rows]
