"""Lots as administrators look at them: whose, of what kind, what is left, and who granted it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.kinds import LotKind
from policy.units import MicroTokens
from store.tables.ledger import accounts, lots
from store.tables.people import people

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from store.engine import Session


class Lot(NamedTuple):
    """A lot with its owner; `entry_id` is the entry that opened it."""

    id: int
    person_id: str
    email: str
    kind: LotKind
    amount: MicroTokens
    remaining: MicroTokens
    starts_at: datetime
    expires_at: datetime
    reason: str
    granted_by: str
    entry_id: int


_lot = (
    sa.select(
        lots.c.id,
        accounts.c.person_id,
        people.c.email,
        lots.c.kind,
        lots.c.amount,
        lots.c.remaining,
        lots.c.starts_at,
        lots.c.expires_at,
        lots.c.reason,
        lots.c.granted_by,
        lots.c.entry_id,
    )
    .join_from(lots, accounts, accounts.c.id == lots.c.account_id)
    .join(people, people.c.id == accounts.c.person_id)
)


def by_id(session: Session, lot_id: int) -> Lot | None:
    row = session.execute(_lot.where(lots.c.id == lot_id)).one_or_none()
    return _read(row) if row else None


def listed(
    session: Session,
    *,
    person_id: str | None = None,
    kinds: Iterable[LotKind] = (),
    since: datetime | None = None,
    is_open: bool = False,
    limit: int,
) -> list[Lot]:
    """Lots, the latest first; `since` bounds when they start, and what is open has something left."""
    query = _lot.order_by(lots.c.id.desc()).limit(limit)
    if person_id is not None:
        query = query.where(accounts.c.person_id == person_id)
    if wanted := list(kinds):
        query = query.where(lots.c.kind.in_(wanted))
    if since is not None:
        query = query.where(lots.c.starts_at >= since)
    if is_open:
        query = query.where(lots.c.remaining > 0)
    return [_read(row) for row in session.execute(query)]


def _read(row: Any) -> Lot:  # noqa: ANN401 - a row of the query above
    kind, amount, remaining = LotKind(row.kind), MicroTokens(row.amount), MicroTokens(row.remaining)
    return Lot(*row)._replace(kind=kind, amount=amount, remaining=remaining)
