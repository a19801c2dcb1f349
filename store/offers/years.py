"""What happened to a wallet in a period, by the kind of its entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.kinds import EntryKind
from policy.units import MicroTokens
from store.tables.ledger import entries, postings

if TYPE_CHECKING:
    from datetime import datetime

    from store.engine import Session


def flows(session: Session, account_id: int, begin: datetime, end: datetime) -> dict[EntryKind, MicroTokens]:
    """The sum of what happened from an instant until before another, whenever it was posted."""
    e, p = entries.c, postings.c
    query = sa.select(e.kind, sa.func.sum(p.amount)).join_from(postings, entries)
    query = query.where(p.account_id == account_id, e.effective_at >= begin, e.effective_at < end).group_by(e.kind)
    return {EntryKind(kind): MicroTokens(int(total)) for kind, total in session.execute(query)}


def balance_at(session: Session, account_id: int, instant: datetime) -> MicroTokens:
    """The sum of what had happened before an instant."""
    query = sa.select(sa.func.coalesce(sa.func.sum(postings.c.amount), 0)).join_from(postings, entries)
    query = query.where(postings.c.account_id == account_id, entries.c.effective_at < instant)
    return MicroTokens(int(session.execute(query).scalar_one()))
