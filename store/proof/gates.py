"""Whether gates were decided as their votes say, and the roll-out stood still as the audit log tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy import gates
from store.audit import POLICY
from store.gates import records
from store.tables.audit import audit_log
from store.tables.gates import gates as gates_table
from views.gates import OPEN, STATE_OF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session


def gates_as_decided(session: Session) -> Iterator[str]:
    """What became of every gate follows from votes that the audit log tells of, or was the calendar's."""
    a = audit_log.c
    told = sa.select(a.subject, a.actor, a.after).where(a.action == records.VOTED).order_by(a.seq)
    last = {(row.subject, row.after["seat"]): (row.actor, row.after["choice"]) for row in session.execute(told)}
    for gate_id in session.execute(sa.select(gates_table.c.id)).scalars().all():
        gate, votes = records.get(session, gate_id), records.votes(session, gate_id)
        assert gate is not None  # noqa: S101 - just read
        for one in votes:
            if last.get((gate_id, one.seat)) != (one.cast_by, one.choice):
                yield f"gate {gate_id}: the vote of {one.seat} is not the one in the audit log"
        found = gates.decided(gate.panel, [one.ballot for one in votes])
        if gate.decided_by != POLICY and STATE_OF.get(found or "", OPEN) != gate.state:
            yield f"gate {gate_id}: it is {gate.state}, which does not follow from its votes"


def pauses_as_told(session: Session) -> Iterator[str]:
    """The roll-out stood still in the months of which the audit log tells, and in no others."""
    told = set(session.execute(sa.select(audit_log.c.subject).where(audit_log.c.action == records.PAUSED)).scalars())
    kept = {str(month) for month in records.pauses(session)}
    yield from (
        f"roll-out: {month} stands still, of which the audit log does not tell" for month in sorted(kept - told)
    )
    yield from (f"roll-out: {month} stood still, as the audit log tells, and does not" for month in sorted(told - kept))


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (gates_as_decided, pauses_as_told)
