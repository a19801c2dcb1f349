"""What lapsed on a first against what was announced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.kinds import EntryKind
from policy.period import Month
from store.tables.grants import lapse_announcements
from store.tables.ledger import accounts, entries, postings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session


def lapses_as_announced(session: Session) -> Iterator[str]:
    """No more was taken on a first than was announced last before it; months without announcements had other rules."""
    told: dict[str, dict[str, int]] = {}
    a = lapse_announcements.c
    query = sa.select(a.month, a.person_id, a.announced_on, a.amount).order_by(a.announced_on)
    for month, person_id, day, amount in session.execute(query):
        of_month = told.setdefault(month, {})
        if day < Month.parse(month).first_day:
            of_month[person_id] = amount
    taken = (
        sa.select(entries.c.idempotency_key, accounts.c.person_id, -postings.c.amount)
        .join_from(entries, postings, postings.c.entry_id == entries.c.id)
        .join(accounts, accounts.c.id == postings.c.account_id)
        .where(entries.c.kind == EntryKind.LAPSE, accounts.c.person_id.is_not(None))
    )
    for key, person_id, amount in session.execute(taken):
        month = key.split(":")[1]
        if month in told and amount > told[month].get(person_id, 0):
            yield f"lapse {month} of {person_id}: {amount} was taken, {told[month].get(person_id, 0)} was announced"


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (lapses_as_announced,)
