"""Whether what came from one wallet into another was of two records of one person, on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.kinds import EntryKind
from store.tables.audit import audit_log
from store.tables.ledger import accounts, entries, postings
from store.tables.people import people

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session

MERGED = "people.merge"
"""The action in the audit log."""


def merges_between_records_of_one_person(session: Session) -> Iterator[str]:
    """A merge is between the wallets of a second record and of the first, and the audit log tells of it."""
    a = audit_log.c
    told = {
        one for (after,) in session.execute(sa.select(a.after).where(a.action == MERGED)) for one in after["entries"]
    }
    merged = dict(
        session.execute(sa.select(people.c.id, people.c.merged_into).where(people.c.merged_into.is_not(None))).all()
    )
    query = (
        sa.select(entries.c.id, entries.c.idempotency_key, accounts.c.person_id)
        .join_from(entries, postings, postings.c.entry_id == entries.c.id)
        .join(accounts, accounts.c.id == postings.c.account_id)
        .where(entries.c.kind == EntryKind.MERGE)
    )
    wallets: dict[tuple[int, str], set[str | None]] = {}
    for entry_id, key, person_id in session.execute(query):
        wallets.setdefault((entry_id, key), set()).add(person_id)
    for (entry_id, key), both in sorted(wallets.items()):
        if not any(merged.get(one) in both for one in both if one):
            yield f"{key}: is not between two records of one person"
        if entry_id not in told:
            yield f"{key}: the audit log does not tell of it"


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (merges_between_records_of_one_person,)
