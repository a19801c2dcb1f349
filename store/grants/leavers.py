"""Who has left, what they owe, and what was written off."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.kinds import EntryKind
from store import bulk
from store.tables.ledger import accounts, entries, postings
from store.tables.people import people

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from store.engine import Session

WROTE_OFF = "debt.write_off"
"""The action in the audit log."""


class Debt(NamedTuple):
    """What a wallet owes, in micro-tokens."""

    person_id: str
    account_id: int
    owed: int


def left_before(session: Session, day: date) -> dict[str, date]:
    """The last day of each person who left before a day."""
    query = sa.select(people.c.id, people.c.left_on).where(people.c.left_on < day)
    return {person_id: left_on for person_id, left_on in session.execute(query)}


def debts(session: Session, person_ids: Iterable[str]) -> list[Debt]:
    """What some people owe, by id; those who owe nothing are left out. Of wallets whose lots are closed."""
    found: list[Debt] = []
    a = accounts.c
    for some in bulk.chunks(sorted(person_ids)):
        query = sa.select(a.person_id, a.id, -a.balance).where(a.person_id.in_(some), a.balance < 0)
        found += [Debt(*row) for row in session.execute(query.order_by(a.person_id))]
    return found


def written_off(session: Session, person_ids: Iterable[str]) -> dict[str, int]:
    """What of some people's debts was written off and not taken back, in micro-tokens."""
    found: dict[str, int] = {}
    for some in bulk.chunks(sorted(person_ids)):
        query = (
            sa.select(accounts.c.person_id, sa.func.sum(postings.c.amount))
            .join_from(postings, accounts, accounts.c.id == postings.c.account_id)
            .join(entries, entries.c.id == postings.c.entry_id)
            .where(accounts.c.person_id.in_(some), entries.c.kind == EntryKind.WRITE_OFF)
            .group_by(accounts.c.person_id)
        )
        found.update((person_id, int(total)) for person_id, total in session.execute(query))
    return found
