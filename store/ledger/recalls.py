"""Leases that gateways are to give back: what they decide by is not so any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from store import bulk
from store.tables.holds import holds, lease_recalls

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from store.engine import Session

_h, _r = holds.c, lease_recalls.c
LEASED = sa.and_(sa.text("holds.status = 'held'"), _h.kind == "lease")
"""Of holds that are leases and still open."""


def _recall(which: sa.ColumnElement[bool]) -> sa.Insert:
    chosen = sa.select(_h.source, _h.id, sa.bindparam("now", type_=_r.recalled_at.type)).where(LEASED, which)
    return sa.insert(lease_recalls).from_select(["source", "hold_id", "recalled_at"], chosen)


_RECALL_OF_ACCOUNTS = _recall(_h.account_id.in_(sa.bindparam("account_ids", expanding=True)))


def of_accounts(session: Session, account_ids: Collection[int], *, now: datetime) -> None:
    """Recall the leases of wallets that got or lost tokens otherwise than by use. It locks no hold."""
    for some in bulk.chunks(sorted(account_ids)):
        session.execute(_RECALL_OF_ACCOUNTS, {"now": now, "account_ids": some})


def of_everyone(session: Session, *, now: datetime) -> None:
    """Recall every lease, as when caps change."""
    session.execute(_recall(sa.true()), {"now": now})


def of_tight(session: Session, account_id: int, *, now: datetime) -> None:
    """Recall the leases of a wallet that a call waits for; those that are recalled already are on their way."""
    on_its_way = sa.exists().where(_r.source == _h.source, _r.hold_id == _h.id)
    session.execute(_recall(sa.and_(_h.account_id == account_id, ~on_its_way)), {"now": now})


def since(session: Session, source: str, cursor: int) -> tuple[int, list[str]]:
    """(the next cursor, the leases of a source that were recalled after one and are still open)."""
    query = sa.select(_r.id, _r.hold_id).where(_r.source == source, _r.id > cursor).order_by(_r.id)
    query = query.join(holds, sa.and_(_h.source == _r.source, _h.id == _r.hold_id)).where(LEASED)
    rows = session.execute(query).all()
    return max([cursor, *(row.id for row in rows)]), list(dict.fromkeys(row.hold_id for row in rows))


def forget(session: Session, before: datetime) -> int:
    """Drop recalls of long ago: a lease lasts minutes."""
    return session.execute(sa.delete(lease_recalls).where(_r.recalled_at < before)).rowcount
