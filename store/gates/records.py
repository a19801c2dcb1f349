"""Gates, the votes on them, and the months in which the roll-out stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from policy.exceptions import STAGE_OF, Electorate, Seat
from policy.gates import Criterion
from policy.period import Month
from store import bulk
from store.tables.gates import gate_votes, gates, rollout_pauses
from views.gates import Gate, GateVote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from store.engine import Session

ASKED, VOTED, DECIDED, PAUSED = "gate.ask", "gate.vote", "gate.decide", "gate.pause"
"""The actions by which the audit log tells what the board was asked and said, and in which months nobody joined."""

_g, _v, _p = gates.c, gate_votes.c, rollout_pauses.c


def insert(session: Session, gate: Gate, *, handbook_version: str) -> None:
    session.execute(
        sa.insert(gates).values(
            id=gate.id,
            phase=gate.phase,
            month=str(gate.month),
            asked_at=gate.asked_at,
            handbook_version=handbook_version,
            through=None if gate.through is None else str(gate.through),
            criteria=[[one.code, one.wanted, one.found, one.met] for one in gate.criteria],
            seats=plain_seats(gate.panel),
            needed=gate.panel.needed,
            stage=gate.panel.stage,
        )
    )


def plain_seats(panel: Electorate) -> list[list[object]]:
    """Who was asked, as the row and the audit log keep it."""
    return sorted([seat.person_id, seat.kind, seat.is_chair, seat.is_finance] for seat in panel.seats)


def get(session: Session, gate_id: str, *, lock: bool = False) -> Gate | None:
    """A gate; with `lock` it is held until the transaction ends."""
    query = sa.select(gates).where(_g.id == gate_id)
    row = session.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _gate(row)


def latest(session: Session) -> dict[int, Gate]:
    """The last gate before each phase."""
    rows = session.execute(sa.select(gates).order_by(_g.month))
    return {gate.phase: gate for gate in map(_gate, rows)}


def _gate(row: Any) -> Gate:  # noqa: ANN401 - a row
    seats = sorted((Seat(*one) for one in row.seats), key=lambda seat: (STAGE_OF[seat.kind], seat.person_id))
    return Gate(
        id=row.id,
        phase=row.phase,
        month=Month.parse(row.month),
        state=row.state,
        revision=int(row.revision),
        asked_at=row.asked_at,
        through=None if row.through is None else Month.parse(row.through),
        criteria=tuple(Criterion(*one) for one in row.criteria),
        panel=Electorate(tuple(seats), int(row.needed), needs_finance=True, stage=row.stage),
        decided_at=row.decided_at,
        decided_by=row.decided_by,
    )


def change(session: Session, gate: Gate, **values: object) -> Gate | None:
    """The gate after a change; None if it is not any more what was read."""
    as_read = {name: getattr(gate, name) for name in ("id", "revision", "state")}
    if not bulk.change(session, gates, as_read, {"revision": gate.revision + 1, **values}):
        return None
    return get(session, gate.id)


def votes(session: Session, gate_id: str) -> list[GateVote]:
    """In the order in which they were cast."""
    query = sa.select(*(_v[name] for name in GateVote._fields)).where(_v.gate == gate_id)
    return [GateVote._make(row) for row in session.execute(query.order_by(_v.cast_at, _v.seat))]


def cast(session: Session, gate_id: str, vote: GateVote) -> None:
    """Keep the vote of a seat, in place of the one it had."""
    session.execute(sa.delete(gate_votes).where(_v.gate == gate_id, _v.seat == vote.seat))
    session.execute(sa.insert(gate_votes).values(gate=gate_id, **vote._asdict()))


def pause(session: Session, month: Month, phase: int, *, now: datetime) -> bool:
    """Keep that the roll-out stands still in a month; False where that is on record."""
    query = sa.select(_p.month).where(_p.month == str(month))
    if session.execute(query).one_or_none() is not None:
        return False
    session.execute(sa.insert(rollout_pauses).values(month=str(month), phase=phase, noted_at=now))
    return True


def pauses(session: Session) -> Sequence[Month]:
    """The months in which the roll-out stands still, oldest first."""
    return [Month.parse(month) for month in session.execute(sa.select(_p.month).order_by(_p.month)).scalars()]
