"""People as their identity provider tells of them: their record, and what only SCIM knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from store import bulk
from store.people.directory import MOST_ABOVE, STANDING
from store.tables.people import people
from store.tables.scim import scim_users

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from store.engine import Session

_u = scim_users.c
_COLUMNS = [column for column in scim_users.c if column is not _u.person_id]
_joined = sa.select(people, *_COLUMNS).outerjoin_from(people, scim_users, _u.person_id == people.c.id)
_there = (*STANDING, _u.deleted_at.is_(None))


class Record(NamedTuple):
    """Somebody's row of `people`, and of `scim_users`: empty while no identity provider has told of them."""

    person: Mapping[str, Any]
    scim: Mapping[str, Any] | None

    @property
    def user_name(self) -> str:
        return str(self.scim["user_name"]) if self.scim else str(self.person["email"])


def _record(row: sa.RowMapping) -> Record:
    person = {column.name: row[column.name] for column in people.c}
    scim = {column.name: row[column.name] for column in _COLUMNS}
    return Record(person, scim if row["user_name"] is not None else None)


def _found(session: Session, *conditions: sa.ColumnElement[bool]) -> list[Record]:
    return [_record(row) for row in session.execute(_joined.where(*conditions)).mappings()]


def by_id(session: Session, person_id: str) -> Record | None:
    """Whom an identity provider sees under an id: not those whom it has deleted."""
    return next(iter(_found(session, people.c.id == person_id, *_there)), None)


def by_external_id(session: Session, external_id: str) -> Record | None:
    """Whoever has an external id, deleted there or not."""
    return next(iter(_found(session, people.c.external_id == external_id, *STANDING)), None)


def by_email(session: Session, email: str) -> Record | None:
    """Whoever has an e-mail, deleted there or not."""
    return next(iter(_found(session, people.c.email == email, *STANDING)), None)


def by_user_name(session: Session, key: str) -> Record | None:
    """Whoever has a user name, in lower case, deleted there or not; of whom no provider has told it is the e-mail."""
    # One question would read everybody: each of these two has an index of its own.
    told = session.execute(sa.select(_u.person_id).where(_u.user_key == key)).scalar_one_or_none()
    of_somebody = people.c.id == told if told else sa.and_(people.c.email == key, _u.person_id.is_(None))
    return next(iter(_found(session, of_somebody, *STANDING)), None)


class Known(NamedTuple):
    """Whom three names of a person are known to be, deleted there or not."""

    by_external_id: Record | None
    by_user_name: Record | None
    by_email: Record | None


def known(session: Session, external_id: str | None, key: str, email: str) -> Known:
    """The same three, asked for at once: all of them are asked about everybody who comes."""
    told = session.execute(sa.select(_u.person_id).where(_u.user_key == key)).scalar_one_or_none()
    named: list[sa.ColumnElement[bool]] = [people.c.email.in_({key, email})]
    named += [people.c.external_id == external_id] if external_id else []
    named += [people.c.id == told] if told else []
    found = _found(session, sa.or_(*named), *STANDING)
    return Known(
        next((one for one in found if external_id and one.person["external_id"] == external_id), None),
        next((one for one in found if _is_user(one, told, key)), None),
        next((one for one in found if one.person["email"] == email), None),
    )


def _is_user(one: Record, told: str | None, key: str) -> bool:
    return one.person["id"] == told if told else one.person["email"] == key and one.scim is None


def by_either_id(session: Session, name: str) -> Record | None:
    """Whom an identity provider sees under an id, else whoever has it as an external id."""
    found = _found(session, sa.or_(people.c.id == name, people.c.external_id == name), *STANDING)
    seen = (one for one in found if one.person["id"] == name and not (one.scim and one.scim["deleted_at"]))
    return next(seen, None) or next((one for one in found if one.person["external_id"] == name), None)


def id_of(session: Session, email: str) -> str:
    """Of somebody who is there."""
    found: str = session.execute(sa.select(people.c.id).where(people.c.email == email, *STANDING)).scalar_one()
    return found


def page(session: Session, offset: int, count: int | None) -> list[Record]:
    """Those whom an identity provider sees, by id, from one on."""
    query = _joined.where(*_there).order_by(people.c.id).offset(offset)
    return [_record(row) for row in session.execute(query.limit(count)).mappings()]


def of_ids(session: Session, person_ids: Iterable[str]) -> list[Record]:
    """Those of some people whom an identity provider sees, by id."""
    some_by_some = bulk.chunks(sorted(set(person_ids)))
    return [one for some in some_by_some for one in _found(session, people.c.id.in_(some), *_there)]


def count(session: Session) -> int:
    query = sa.select(sa.func.count()).select_from(people.outerjoin(scim_users, _u.person_id == people.c.id))
    return session.execute(query.where(*_there)).scalar_one()


def ids_with_email(session: Session, email: str) -> set[str]:
    """Everyone who has an address, in lower case, as their e-mail or among the addresses that were told of them."""
    theirs = sa.select(people.c.id).where(people.c.email == email)
    told = sa.func.lower(sa.cast(_u.told, sa.Text)).contains(email, autoescape=True)
    return set(session.execute(theirs.union(sa.select(_u.person_id).where(told))).scalars())


def rows(session: Session, person_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The full rows of some people, by e-mail."""
    query = sa.select(people).where(people.c.id.in_(sorted(set(person_ids))))
    return {row["email"]: dict(row) for row in session.execute(query).mappings()}


def above(session: Session, person_id: str) -> list[str]:
    """Someone and everyone above them, up to whoever has no manager."""
    chain = sa.select(people.c.id, people.c.manager_id, sa.literal(0).label("level")).where(people.c.id == person_id)
    cte = chain.cte("above", recursive=True)
    further = sa.select(people.c.id, people.c.manager_id, cte.c.level + 1).where(
        people.c.id == cte.c.manager_id, cte.c.level < MOST_ABOVE
    )
    cte = cte.union_all(further)
    return list(session.execute(sa.select(cte.c.id).order_by(cte.c.level)).scalars())


def awaiting(session: Session, names: Sequence[str]) -> list[Record]:
    """Those whose manager was told by one of some names when nobody was known by it."""
    # In the words of the index: mostly nobody waits.
    query = sa.select(_u.person_id).where(sa.text("scim_users.awaits IS NOT NULL"), _u.awaits.in_(names))
    waiting = list(session.execute(query).scalars())
    return _found(session, people.c.id.in_(waiting), *STANDING) if waiting else []


def keep(session: Session, person_id: str, values: Mapping[str, Any], *, is_new: bool, now: datetime) -> None:
    """What was told of someone, instead of what was told before."""
    values = {**values, "modified_at": now}
    if is_new:
        session.execute(sa.insert(scim_users).values(person_id=person_id, created_at=now, **values))
    else:
        session.execute(sa.update(scim_users).where(_u.person_id == person_id).values(**values))
