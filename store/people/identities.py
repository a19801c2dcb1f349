"""The names by which gateways know people, as administrators look at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store.tables.people import identities, people

if TYPE_CHECKING:
    from store.engine import Session


class MappedName(NamedTuple):
    """A name, of a gateway or (`*`) of all, and whose it is."""

    source: str
    kind: str
    value: str
    email: str
    person_id: str


def listed(
    session: Session, *, person_id: str | None, source: str | None, kind: str | None, limit: int
) -> list[MappedName]:
    """Names by source, kind and value."""
    i = identities.c
    query = sa.select(i.source, i.kind, i.value, people.c.email, i.person_id).join_from(identities, people)
    for column, wanted in ((i.person_id, person_id), (i.source, source), (i.kind, kind)):
        if wanted is not None:
            query = query.where(column == wanted)
    return [MappedName(*row) for row in session.execute(query.order_by(i.source, i.kind, i.value).limit(limit))]
