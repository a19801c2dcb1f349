"""Projects by name, and who sponsors them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store import bulk
from store.tables.people import projects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from store.engine import Session


class Project(NamedTuple):
    """A project that a request can name; its sponsor does not vote on it."""

    key: str
    name: str
    sponsor_id: str | None


_all = sa.select(projects.c.key, projects.c.name, projects.c.sponsor_id).order_by(projects.c.name, projects.c.key)


def by_name(session: Session) -> list[Project]:
    """Every project, by name."""
    return [Project._make(row) for row in session.execute(_all)]


def named(session: Session, key: str) -> Project | None:
    """The project with a key."""
    row = session.execute(_all.where(projects.c.key == key)).one_or_none()
    return None if row is None else Project._make(row)


def are_there_any(session: Session) -> bool:
    return session.execute(_all.limit(1)).first() is not None


def sponsors_of(session: Session, project_keys: Iterable[str]) -> dict[str, str | None]:
    """Who sponsors each of some projects; an unknown one has none."""
    found: dict[str, str | None] = dict.fromkeys(project_keys)
    for some in bulk.chunks(sorted(found)):
        query = sa.select(projects.c.key, projects.c.sponsor_id).where(projects.c.key.in_(some))
        found |= {key: sponsor for key, sponsor in session.execute(query)}
    return found


def sponsor_of(session: Session, project_key: str) -> str | None:
    return sponsors_of(session, [project_key])[project_key]
