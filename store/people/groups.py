"""Groups as identity providers tell of them, and who is in those that are no role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from store import bulk
from store.people.directory import STANDING
from store.tables.people import people, person_roles
from store.tables.scim import scim_groups, scim_members, scim_users

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from store.engine import Session

_g = scim_groups.c


class Group(NamedTuple):
    id: str
    external_id: str | None
    name: str
    created_at: datetime
    modified_at: datetime


_group = sa.select(_g.id, _g.external_id, _g.name, _g.created_at, _g.modified_at)


def by_id(session: Session, group_id: str) -> Group | None:
    row = session.execute(_group.where(_g.id == group_id)).one_or_none()
    return Group(*row) if row else None


def by_name(session: Session, key: str) -> Group | None:
    """The group with a name, in lower case."""
    row = session.execute(_group.where(_g.name_key == key)).one_or_none()
    return Group(*row) if row else None


def listed(session: Session) -> list[Group]:
    return [Group(*row) for row in session.execute(_group.order_by(_g.id))]


_seen = (*STANDING, people.c.id.not_in(sa.select(scim_users.c.person_id).where(scim_users.c.deleted_at.is_not(None))))


def members(session: Session, group_id: str) -> list[str]:
    """The ids of those in a group that is no role."""
    query = sa.select(people.c.id).join(scim_members, scim_members.c.person_id == people.c.id)
    return list(
        session.execute(query.where(scim_members.c.group_id == group_id, *_seen).order_by(people.c.id)).scalars()
    )


def with_role(session: Session, role: str) -> list[str]:
    """The ids of everyone who has a role, whether they have left or not."""
    query = sa.select(people.c.id).join(person_roles, person_roles.c.person_id == people.c.id)
    return list(session.execute(query.where(person_roles.c.role == role, *_seen).order_by(people.c.id)).scalars())


def known(session: Session, person_ids: Iterable[str]) -> set[str]:
    """Those of some ids that are people's."""
    found: set[str] = set()
    for some in bulk.chunks(sorted(person_ids)):
        found |= set(session.execute(sa.select(people.c.id).where(people.c.id.in_(some), *_seen)).scalars())
    return found


def insert(session: Session, values: Mapping[str, Any]) -> None:
    session.execute(sa.insert(scim_groups).values(**values))


def update(session: Session, group_id: str, values: Mapping[str, Any]) -> None:
    session.execute(sa.update(scim_groups).where(_g.id == group_id).values(**values))


def delete(session: Session, group_id: str) -> None:
    session.execute(sa.delete(scim_members).where(scim_members.c.group_id == group_id))
    session.execute(sa.delete(scim_groups).where(_g.id == group_id))


def change_members(session: Session, group_id: str, *, added: Iterable[str], gone: Iterable[str]) -> None:
    for some in bulk.chunks(sorted(gone)):
        theirs = (scim_members.c.group_id == group_id, scim_members.c.person_id.in_(some))
        session.execute(sa.delete(scim_members).where(*theirs))
    bulk.insert_missing(session, scim_members, ("group_id", "person_id"), [(group_id, one) for one in sorted(added)])
