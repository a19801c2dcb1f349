"""Whether debts were written off as far as they were owed, by those who left, on record."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.kinds import EntryKind
from store.grants.leavers import WROTE_OFF
from store.tables.audit import audit_log
from store.tables.ledger import accounts, entries, postings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session


def write_offs_as_owed(session: Session) -> Iterator[str]:
    """A write-off brings a wallet to nothing, no more is taken back than was written off, and each is on record."""
    told = _told(session)
    e, p = entries.c, postings.c
    query = (
        sa.select(e.id, e.idempotency_key, accounts.c.person_id, p.amount, p.balance)
        .join_from(entries, postings, p.entry_id == e.id)
        .join(accounts, accounts.c.id == p.account_id)
        .where(e.kind == EntryKind.WRITE_OFF, accounts.c.person_id.is_not(None))
        .order_by(e.id)
    )
    standing: Counter[str] = Counter()
    for row in session.execute(query):
        standing[row.person_id] += row.amount
        if row.amount > 0 and row.balance:
            yield f"{row.idempotency_key}: {row.amount} written off, {row.balance} is left"
        if standing[row.person_id] < 0:
            yield f"{row.idempotency_key}: {-row.amount} taken back, which is more than was written off"
        if told.pop(row.id, None) != row.person_id:
            yield f"{row.idempotency_key}: the audit log does not tell of it"
    for entry_id, person_id in told.items():
        yield f"the audit log tells of entry {entry_id}, which writes off nothing of {person_id}"


def _told(session: Session) -> dict[int, str]:
    a = audit_log.c
    log = sa.select(a.subject, a.after).where(a.action == WROTE_OFF)
    return {after["entry"]: subject for subject, after in session.execute(log)}


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (write_offs_as_owed,)
