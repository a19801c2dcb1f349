"""Lines of bills whose usage waits in quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store.tables.usage import quarantine, usage_events

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
    query = sa.select(e.event_id, e.meters).join_from(usage_events, quarantine)
    query = query.where(
        e.source == source, e.event_id.startswith(id_begins, autoescape=True), q.released_at.is_(None)
    ).where(q.discarded_at.is_(None))
    return [Held(*row) for row in session.execute(query)]
