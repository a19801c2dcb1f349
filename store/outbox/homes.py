"""Who looked at their Home when, and which view was published there last."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from store import bulk
from store.tables.outbox import homes

if TYPE_CHECKING:
    from datetime import datetime

    from store.engine import Session

_h = homes.c


class HomeState(NamedTuple):
    """What is known of a person's Home; `hash` is None where nothing was published yet."""

    opened_at: datetime
    hash: str | None


def opened(session: Session, person_id: str, *, now: datetime) -> None:
    """Note that someone looks at their Home; also when two of their devices do so at once."""
    insert = postgresql.insert if bulk.is_postgresql(session) else sqlite.insert
    row = insert(homes).values(person_id=person_id, opened_at=now)
    session.execute(row.on_conflict_do_update(index_elements=["person_id"], set_={"opened_at": row.excluded.opened_at}))


def of(session: Session, person_id: str) -> HomeState | None:
    row = session.execute(sa.select(_h.opened_at, _h.hash).where(_h.person_id == person_id)).one_or_none()
    return HomeState._make(row) if row else None


def published(session: Session, person_id: str, new: str, *, over: str | None) -> bool:
    """Keep the hash of what was published over a view; False when someone kept theirs since that view was read."""
    same = _h.hash.is_(None) if over is None else _h.hash == over
    return session.execute(sa.update(homes).where(_h.person_id == person_id, same).values(hash=new)).rowcount == 1


def forced(session: Session, person_id: str, new: str) -> None:
    """Keep the hash of what was published whatever was there."""
    session.execute(sa.update(homes).where(_h.person_id == person_id).values(hash=new))
