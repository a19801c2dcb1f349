"""Which calls were made when: what was held for them, and whom caps stopped. What was used is in the books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from store.holds.records import HELD
from store.privacy.parts import Part, Scope, keyed
from store.tables.holds import cap_stops, hold_claims, holds, lease_recalls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.engine import Session

_h = holds.c


def _closed(_session: Session, scope: Scope) -> sa.Select[Any]:
    return sa.select(_h.source, _h.id).where(_h.status != HELD, _h.closed_at < scope.before)


def _forget_holds(session: Session, _scope: Scope, rows: Sequence[sa.Row[Any]]) -> None:
    keys = [tuple(row) for row in rows]
    for table in (hold_claims, lease_recalls):
        session.execute(sa.delete(table).where(sa.tuple_(table.c.source, table.c.hold_id).in_(keys)))
    session.execute(sa.delete(holds).where(keyed(holds, rows)))


def _stops(_session: Session, scope: Scope) -> sa.Select[Any]:
    return sa.select(cap_stops.c.key).where(cap_stops.c.stopped_at < scope.before)


def _forget_stops(session: Session, _scope: Scope, rows: Sequence[sa.Row[Any]]) -> None:
    session.execute(sa.delete(cap_stops).where(keyed(cap_stops, rows)))


PARTS = (
    Part(name="holds", found=_closed, change=_forget_holds),
    Part(name="cap_stops", found=_stops, change=_forget_stops),
)
