"""Projects by name, and who sponsors them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store import bulk
from store.tables.people import assignments, people, projects

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from store.engine import Session


class Project(NamedTuple):
    """A project that a request can name; its sponsor does not vote on it."""

    key: str
    name: str
    sponsor_id: str | None


class ListedProject(NamedTuple):
    """A project as administrators look at it."""

    key: str
    name: str
    complexity: str
    director: str | None
    sponsor: str | None
    people: int


_all = sa.select(projects.c.key, projects.c.name, projects.c.sponsor_id).order_by(projects.c.name, projects.c.key)


def by_name(session: Session) -> list[Project]:
    """Every project, by name."""
    return [Project._make(row) for row in session.execute(_all)]


def names(session: Session) -> dict[str, str]:
    """What projects are called, by key."""
    return {key: name for key, name in session.execute(sa.select(projects.c.key, projects.c.name))}


def listed(session: Session, day: date, *, person_id: str | None = None) -> list[ListedProject]:
    """Projects by key, with how many work on each on a day; all of them, or those of one person."""
    a, director, sponsor = assignments.c, people.alias(), people.alias()
    current = (a.first_day <= day, sa.or_(a.last_day.is_(None), a.last_day >= day))
    counted = sa.select(sa.func.count()).where(a.project_key == projects.c.key, *current).scalar_subquery()
    query = (
        sa.select(projects.c.key, projects.c.name, projects.c.complexity, director.c.email, sponsor.c.email, counted)
        .outerjoin_from(projects, director, director.c.id == projects.c.director_id)
        .outerjoin(sponsor, sponsor.c.id == projects.c.sponsor_id)
        .order_by(projects.c.key)
    )
    if person_id is not None:
        query = query.where(projects.c.key.in_(sa.select(a.project_key).where(a.person_id == person_id, *current)))
    return [ListedProject(*row) for row in session.execute(query)]


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
