"""Lines of bills whose usage waits in quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store.tables.usage import quarantine, usage_events
from store.usage import ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from store.engine import Session


class Held(NamedTuple):
    """An event that waits, and what it counts."""

    event_id: str
    meters: Mapping[str, int]


def held(session: Session, source: str, id_begins: str) -> list[Held]:
    """The events of a bill that nobody released or discarded."""
    e, q = usage_events.c, quarantine.c
    query = sa.select(e.event_id, e.meters).select_from(ids.with_events(quarantine))
    query = query.where(
        q.source == source, q.event_id.startswith(id_begins, autoescape=True), q.released_at.is_(None)
    ).where(q.discarded_at.is_(None))
    return [Held(*row) for row in session.execute(query)]
