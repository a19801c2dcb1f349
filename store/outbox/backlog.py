"""How much is owed to Slack, for those who watch: counts and an instant, read from two small indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store.outbox import messages
from store.tables.outbox import outbox

if TYPE_CHECKING:
    from datetime import datetime

    from store.engine import Session


class Backlog(NamedTuple):
    """Messages that are not delivered: `waiting` may be due later, `due` are so now, `parked` wait for somebody."""

    waiting: int
    due: int
    parked: int
    oldest_due_at: datetime | None


def read(session: Session, now: datetime) -> Backlog:
    """Grows with what is not delivered, not with what was."""
    due_at = outbox.c.due_at
    due = due_at <= now
    counted = sa.select(
        sa.func.count(),
        sa.func.count(sa.case((due, 1))),
        sa.func.min(sa.case((due, due_at)), type_=due_at.type),
    )
    row = session.execute(counted.where(messages.OPEN)).one()
    parked = sum(messages.parked_by_problem(session).values())
    return Backlog(row[0], row[1], parked, row[2])
