"""Whether lots that were revoked had been given by hand, on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.kinds import EntryKind, LotKind
from store.tables.audit import audit_log
from store.tables.ledger import entries, lot_movements, lots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session

REVOKED = "grant.revoke"
"""The action in the audit log."""


def revocations_of_lots_by_hand(session: Session) -> Iterator[str]:
    """A revocation takes from one lot, which was given by hand, and the audit log tells of it."""
    a = audit_log.c
    told = {after["entry"]: after["lot"] for (after,) in session.execute(sa.select(a.after).where(a.action == REVOKED))}
    query = (
        sa.select(entries.c.id, entries.c.idempotency_key, lots.c.id, lots.c.kind)
        .outerjoin_from(entries, lot_movements, lot_movements.c.entry_id == entries.c.id)
        .outerjoin(lots, lots.c.id == lot_movements.c.lot_id)
        .where(entries.c.kind == EntryKind.REVOCATION)
        .order_by(entries.c.id)
    )
    for entry_id, key, lot_id, kind in session.execute(query):
        if kind != LotKind.MANUAL:
            yield f"{key}: takes back a lot of kind {kind}"
        if told.pop(entry_id, None) != lot_id:
            yield f"{key}: the audit log does not tell of it"
    for entry_id, lot_id in told.items():
        yield f"the audit log tells of entry {entry_id}, which takes nothing of lot {lot_id}"


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (revocations_of_lots_by_hand,)
