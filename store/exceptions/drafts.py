"""What people typed into the form and have not submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from store import bulk
from store.tables.exceptions import request_drafts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from store.engine import Session


class Draft(NamedTuple):
    """What someone typed into the form and has not submitted."""

    fields: dict[str, Any]
    saved_at: datetime


def of_person(session: Session, person_id: str) -> Draft | None:
    """What someone typed last and has not submitted."""
    d = request_drafts.c
    row = session.execute(sa.select(d.fields, d.saved_at).where(d.person_id == person_id)).one_or_none()
    return Draft._make(row) if row else None


def save(session: Session, person_id: str, fields: Mapping[str, Any], *, now: datetime) -> None:
    """Keep what someone typed last, also when two pieces of it arrive at once, or in the wrong order."""
    insert = postgresql.insert if bulk.is_postgresql(session) else sqlite.insert
    draft = insert(request_drafts).values(person_id=person_id, fields=dict(fields), saved_at=now)
    newer = {"fields": draft.excluded.fields, "saved_at": draft.excluded.saved_at}
    session.execute(
        draft.on_conflict_do_update(
            index_elements=["person_id"], set_=newer, where=request_drafts.c.saved_at <= draft.excluded.saved_at
        )
    )


def forget(session: Session, person_id: str) -> None:
    session.execute(sa.delete(request_drafts).where(request_drafts.c.person_id == person_id))
