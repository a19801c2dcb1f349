"""How far retention came with each part, so that it goes on there whenever it was interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store.tables.privacy import retention

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from store.engine import Session

_t = retention.c


class Progress(NamedTuple):
    """What is from before `through` is gone; what is from before `before` is under way, and came as far as `place`."""

    part: str
    through: datetime | None = None
    before: datetime | None = None
    place: int = 0
    taken: int = 0


def read(session: Session) -> dict[str, Progress]:
    rows = session.execute(sa.select(*(_t[name] for name in Progress._fields)))
    return {row.part: Progress._make(row) for row in rows}


def note(session: Session, one: Progress) -> None:
    values = one._asdict()
    if not session.execute(sa.update(retention).where(_t.part == one.part).values(values)).rowcount:
        session.execute(sa.insert(retention).values(values))


def told(session: Session) -> Mapping[str, int]:
    """How many rows of each part went that no record tells of yet: it does from now on."""
    query = sa.select(_t.part, _t.taken).where(_t.taken > 0).order_by(_t.part)
    counts = {part: int(taken) for part, taken in session.execute(query)}
    session.execute(sa.update(retention).values(taken=0))
    return counts
