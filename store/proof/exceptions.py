"""Whether a break-glass that was not ratified cost its owner what was used of it, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.kinds import EntryKind
from store.tables.exceptions import requests
from store.tables.ledger import entries, lot_movements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.engine import Session


def unratified_as_spent(session: Session) -> Iterator[str]:
    """What was spent and what returned are the whole credit, and at most what was spent was taken off a grant."""
    returned, netted = _taken(EntryKind.RETURN, "returned:"), _taken(EntryKind.NETTING, "netted:")
    r = requests.c
    query = sa.select(r.id, r.granted, r.spent, r.netted, returned.label("returned"), netted.label("taken"))
    for row in session.execute(query.where(r.spent.is_not(None))):
        if row.spent + row.returned != row.granted:
            yield f"request {row.id}: {row.granted} granted, but {row.spent} spent and {row.returned} returned"
        if (row.netted or 0) != row.taken or row.taken > row.spent:
            yield f"request {row.id}: {row.spent} spent, {row.netted} netted, {row.taken} taken off a grant"


def _taken(kind: EntryKind, prefix: str) -> sa.ScalarSelect[int]:
    """What the entry of a kind about each request took from lots."""
    total = sa.func.coalesce(sa.func.sum(lot_movements.c.amount), 0)
    query = sa.select(total).join_from(entries, lot_movements, lot_movements.c.entry_id == entries.c.id)
    about_it = entries.c.idempotency_key == sa.literal(prefix) + requests.c.id
    return query.where(entries.c.kind == kind, about_it).correlate(requests).scalar_subquery()
