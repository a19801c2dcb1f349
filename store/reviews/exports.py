"""What the compensation review is told of beside the cases: exceptions by outcome, and debts that grants settled."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.kinds import EntryKind, LotKind
from store.exceptions.requests import CREDITED, NOT_RATIFIED
from store.tables.exceptions import requests
from store.tables.ledger import accounts, entries, lot_movements, lots

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from store.engine import Session

UNTOLD = "untold"


class Exceptions(NamedTuple):
    """A person's granted exceptions of a quarter by what came of them, and break-glasses that were not ratified."""

    outcomes: Mapping[str, int]
    unratified: int


def exceptions(session: Session, begin: datetime, end: datetime) -> dict[str, Exceptions]:
    """By person, of what was granted of their requests between two instants."""
    r = requests.c
    query = sa.select(r.person_id, r.outcome, r.state).where(r.granted.is_not(None))
    outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    unratified: Counter[str] = Counter()
    for person_id, outcome, state in session.execute(query.where(r.made_at >= begin, r.made_at < end)):
        outcomes[person_id][outcome or UNTOLD] += 1
        unratified[person_id] += state in {CREDITED, NOT_RATIFIED}
    return {person_id: Exceptions(dict(counts), unratified[person_id]) for person_id, counts in outcomes.items()}


def months_in_debt(session: Session, begin: datetime, end: datetime) -> dict[str, int]:
    """How many monthly grants had to settle debt, by person: those posted after `begin` and up to `end`, together."""
    query = (
        sa.select(accounts.c.person_id, sa.func.count(sa.distinct(entries.c.id)))
        .select_from(lot_movements.join(lots).join(accounts, accounts.c.id == lots.c.account_id))
        .join(entries, entries.c.id == lot_movements.c.entry_id)
        .where(entries.c.kind == EntryKind.GRANT, lots.c.kind == LotKind.MONTHLY)
        .where(entries.c.effective_at > begin, entries.c.effective_at <= end)
        .group_by(accounts.c.person_id)
    )
    return {person_id: count for person_id, count in session.execute(query)}


def in_debt(session: Session) -> frozenset[str]:
    """The people who have spent beyond all their lots and have not settled it."""
    left = sa.func.coalesce(sa.func.sum(lots.c.remaining), 0)
    query = (
        sa.select(accounts.c.person_id)
        .outerjoin(lots, lots.c.account_id == accounts.c.id)
        .where(accounts.c.person_id.is_not(None))
        .group_by(accounts.c.id, accounts.c.person_id, accounts.c.balance)
        .having(accounts.c.balance < left)
    )
    return frozenset(session.execute(query).scalars())
