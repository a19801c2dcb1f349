"""People, their roles, and the names by which gateways and Slack know them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from store import bulk, time_zones
from store.tables.outbox import homes
from store.tables.people import identities, people, person_roles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from zoneinfo import ZoneInfo

    from policy.metering import Identities, Identity, IdentityKind
    from store.engine import Session

ANY_SOURCE = "*"
MOST_ABOVE = 100
"""Deeper than any company; a circle of managers ends here."""


@dataclass(frozen=True, slots=True)
class Person:
    """One engineer, as far as most callers need to know them."""

    id: str
    email: str
    name: str
    slack_user_id: str | None
    time_zone: str
    hired_on: date
    left_on: date | None


STANDING = (people.c.merged_into.is_(None), people.c.erased_at.is_(None))
"""Of records that are somebody's: neither a second one of theirs, nor one that was erased."""

_person = sa.select(
    people.c.id,
    people.c.email,
    people.c.name,
    people.c.slack_user_id,
    people.c.time_zone,
    people.c.hired_on,
    people.c.left_on,
)


_of_account = bulk.Typed(_person.where(people.c.slack_user_id == sa.bindparam("slack_user_id")))


def by_slack_id(session: Session, slack_user_id: str) -> Person | None:
    rows = _of_account.execute(session, {"slack_user_id": slack_user_id})
    return Person(*rows[0]) if rows else None


def by_email(session: Session, email: str) -> Person | None:
    return _one(session, people.c.email == email.lower())


def _one(session: Session, condition: sa.ColumnElement[bool]) -> Person | None:
    row = session.execute(_person.where(condition)).one_or_none()
    return Person(*row) if row else None


def zone_of(person: Person, otherwise: ZoneInfo) -> ZoneInfo:
    return time_zones.zone(person.time_zone, otherwise)


def link_slack_user(session: Session, *, person_id: str, slack_user_id: str) -> bool:
    """Note a person's Slack id unless they have one already, or had one; whether this call did it."""
    statement = (
        sa.update(people)
        .where(people.c.id == person_id, people.c.slack_user_id.is_(None), people.c.former_slack_user_id.is_(None))
        .values(slack_user_id=slack_user_id)
    )
    return session.execute(statement).rowcount == 1


def without_account(session: Session, today: date) -> set[str]:
    """The e-mails of people who have not left, and have no Slack account and never had one."""
    never = (people.c.slack_user_id.is_(None), people.c.former_slack_user_id.is_(None))
    here = sa.or_(people.c.left_on.is_(None), people.c.left_on >= today)
    return set(session.execute(sa.select(people.c.email).where(*never, here, *STANDING)).scalars())


def former_account(session: Session, person_id: str) -> str | None:
    """The Slack account that was a person's before, if there was one."""
    found: str | None = session.execute(
        sa.select(people.c.former_slack_user_id).where(people.c.id == person_id)
    ).scalar_one_or_none()
    return found


def emails(session: Session, person_ids: Iterable[str]) -> dict[str, str]:
    """The e-mail address of some people, by id."""
    found: dict[str, str] = {}
    for some in bulk.chunks(sorted(person_ids)):
        query = sa.select(people.c.id, people.c.email).where(people.c.id.in_(some))
        found.update((person_id, email) for person_id, email in session.execute(query))
    return found


def all_by_email(session: Session) -> dict[str, dict[str, Any]]:
    """Every person's full row by e-mail, for an import to compare with; records that are none any more left out."""
    return {row["email"]: dict(row) for row in session.execute(sa.select(people).where(*STANDING)).mappings()}


def pay_bands(session: Session) -> set[str]:
    """Every pay band that somebody has."""
    return set(session.execute(sa.select(people.c.pay_band).distinct().where(people.c.pay_band.is_not(None))).scalars())


def count_by_band(session: Session, day: date) -> dict[str, int]:
    """How many people who work here on a day have each pay band."""
    here = (people.c.hired_on <= day, sa.or_(people.c.left_on.is_(None), people.c.left_on >= day))
    query = sa.select(people.c.pay_band, sa.func.count()).where(people.c.pay_band.is_not(None), *here)
    return {band: count for band, count in session.execute(query.group_by(people.c.pay_band))}


def by_zone(session: Session) -> dict[str, list[str]]:
    """The e-mails of the people in each time zone, as it is stored."""
    found: dict[str, list[str]] = {}
    for zone, email in session.execute(sa.select(people.c.time_zone, people.c.email).order_by(people.c.email)):
        found.setdefault(zone, []).append(email)
    return found


def roles_by_person(session: Session) -> dict[str, set[str]]:
    roles: dict[str, set[str]] = {}
    for person_id, role in session.execute(sa.select(person_roles.c.person_id, person_roles.c.role)):
        roles.setdefault(person_id, set()).add(role)
    return roles


def roles_of(session: Session, person_id: str) -> set[str]:
    return set(session.execute(sa.select(person_roles.c.role).where(person_roles.c.person_id == person_id)).scalars())


class Role(NamedTuple):
    """A role that someone has; `left_on` where they have left."""

    role: str
    email: str
    name: str
    left_on: date | None


def with_roles(session: Session) -> list[Role]:
    """Every role that someone has, by role and e-mail."""
    query = sa.select(person_roles.c.role, people.c.email, people.c.name, people.c.left_on)
    query = query.join_from(person_roles, people).order_by(person_roles.c.role, people.c.email)
    return [Role(*row) for row in session.execute(query)]


def with_role(session: Session, role: str, today: date) -> list[str]:
    """Everyone who has a role and has not left, by id."""
    here = (people.c.hired_on <= today, sa.or_(people.c.left_on.is_(None), people.c.left_on >= today))
    query = sa.select(people.c.id).join(person_roles, person_roles.c.person_id == people.c.id)
    return list(session.execute(query.where(person_roles.c.role == role, *here).order_by(people.c.id)).scalars())


def by_id(session: Session, person_id: str) -> Person | None:
    return _one(session, people.c.id == person_id)


class Employment(NamedTuple):
    """The first and the last day of someone's time here."""

    hired_on: date
    left_on: date | None

    def on(self, day: date) -> bool:
        return self.hired_on <= day and (self.left_on is None or day <= self.left_on)


def partly_here(session: Session, person_ids: Iterable[str], days: Iterable[date]) -> dict[str, Employment]:
    """Those of some people, by id, who were not here on all days from the first to the last: mostly no one."""
    if not (all_days := set(days)):
        return {}
    day = bulk.day_codec(session)
    bounds = {"first": day(min(all_days)), "last": day(max(all_days))}
    rows = _partly_here.execute(session, sorted(person_ids), **bounds)
    return {id_: Employment(bulk.read_day(hired), left and bulk.read_day(left)) for id_, hired, left in rows}


_partly_here = bulk.Among(
    sa.select(people.c.id, people.c.hired_on, people.c.left_on).where(
        sa.or_(people.c.hired_on > sa.bindparam("first"), people.c.left_on < sa.bindparam("last"))
    ),
    people.c.id,
)


class PersonName(NamedTuple):
    """What someone is called, and their Slack user if they have one."""

    name: str
    slack: str | None


def names(session: Session, person_ids: Iterable[str]) -> dict[str, PersonName]:
    """How some people are named, by id."""
    found: dict[str, PersonName] = {}
    for some in bulk.chunks(sorted(set(person_ids))):
        query = sa.select(people.c.id, people.c.name, people.c.slack_user_id).where(people.c.id.in_(some))
        found |= {id_: PersonName(name, slack) for id_, name, slack in session.execute(query)}
    return found


def managers_of(session: Session, person_ids: Iterable[str]) -> dict[str, str | None]:
    """The manager of each of some people, None where they have no one above them."""
    found: dict[str, str | None] = {}
    for some in bulk.chunks(sorted(set(person_ids))):
        query = sa.select(people.c.id, people.c.manager_id).where(people.c.id.in_(some))
        found |= {person_id: manager for person_id, manager in session.execute(query)}
    return found


def manager_of(session: Session, person_id: str) -> str | None:
    return managers_of(session, [person_id])[person_id]


def reports_of(session: Session, managers: Iterable[str]) -> frozenset[str]:
    """Everyone who reports to one of some people."""
    query = sa.select(people.c.id).where(people.c.manager_id.in_(sorted(set(managers))))
    return frozenset(session.execute(query).scalars())


def insert(session: Session, rows: list[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(sa.insert(people), rows)


def update(session: Session, person_id: str, changes: Mapping[str, Any]) -> None:
    """Change columns; of a Slack account that is replaced or taken away, it is kept that it was theirs."""
    if "slack_user_id" in changes:
        former = sa.func.coalesce(people.c.slack_user_id, people.c.former_slack_user_id)
        changes = {**changes, "former_slack_user_id": former}
        # Slack knows the Home by the account: the new one has none yet.
        session.execute(sa.delete(homes).where(homes.c.person_id == person_id))
    session.execute(sa.update(people).where(people.c.id == person_id).values(**changes))


def set_roles(session: Session, person_id: str, roles: Iterable[str]) -> None:
    """Replace a person's roles."""
    session.execute(sa.delete(person_roles).where(person_roles.c.person_id == person_id))
    rows = [{"person_id": person_id, "role": role} for role in sorted(roles)]
    if rows:
        session.execute(sa.insert(person_roles), rows)


def spelled(kind: IdentityKind, value: str) -> str:
    """A name as it is kept: e-mails, which nobody tells apart by case, in lower case."""
    return value.lower() if kind == "email" or (kind == "user" and "@" in value) else value


def add_identity(session: Session, *, source: str, kind: IdentityKind, value: str, person_id: str) -> str | None:
    """Map a gateway's name to a person; the person it belonged to before, if any."""
    key = (identities.c.source == source, identities.c.kind == kind, identities.c.value == value)
    before: str | None = session.execute(sa.select(identities.c.person_id).where(*key)).scalar_one_or_none()
    if before is None:
        session.execute(sa.insert(identities).values(source=source, kind=kind, value=value, person_id=person_id))
    elif before != person_id:
        session.execute(sa.update(identities).where(*key).values(person_id=person_id))
    return before


def drop_identity(session: Session, *, source: str, kind: IdentityKind, value: str) -> str | None:
    """Forget a gateway's name; the person it belonged to, if any."""
    key = (identities.c.source == source, identities.c.kind == kind, identities.c.value == value)
    before: str | None = session.execute(sa.select(identities.c.person_id).where(*key)).scalar_one_or_none()
    if before is not None:
        session.execute(sa.delete(identities).where(*key))
    return before


def kept_as(session: Session, value: str) -> list[tuple[str, str]]:
    """(source, kind) of every name that is spelled so."""
    query = sa.select(identities.c.source, identities.c.kind).where(identities.c.value == value)
    return [(source, kind) for source, kind in session.execute(query.order_by(identities.c.source, identities.c.kind))]


class Known(dict["Identity", str]):
    """Person id by (kind, name), for those that someone is known by; `ranks` are the same by how sure each is."""

    def __init__(self, *ranks: Mapping[Identity, str]) -> None:
        super().__init__()
        for rank in reversed(ranks):
            self.update(rank)
        self._ranks = [rank for rank in ranks if rank]

    def who(self, names: Identities) -> str | None:
        """The person whom names mean together: what was mapped for this gateway wins over what holds everywhere.

        A key may carry the e-mail of whoever made it, and be someone else's by its alias.
        """
        for rank in self._ranks:
            for name in names:
                if name in rank:
                    return rank[name]
        return None


def resolve(session: Session, source: str, names: set[Identity]) -> Known:
    """Who is known to a gateway by some names.

    A mapping for the gateway itself wins over one for every gateway, and that over the e-mail of the person's own
    record. A `user` that looks like an e-mail is read as one: gateways often use it so.
    """
    mails = {value.lower() for kind, value in names if kind == "email" or (kind == "user" and "@" in value)}
    by_mail: dict[str, str] = {}
    if mails:
        by_mail = {email: person_id for email, person_id in _by_mail.execute(session, sorted(mails))}
    concluded: dict[Identity, str] = {
        (kind, value): by_mail[value.lower()]
        for kind, value in names
        if kind != "key_alias" and value.lower() in by_mail
    }
    own: dict[Identity, str] = {}
    anywhere: dict[Identity, str] = {}
    given = {"own": source, "anywhere": ANY_SOURCE}
    values = sorted(mails.union(value for _, value in names))
    for where, kind, value, person_id in _mapped.execute(session, values, **given):
        (own if where == source else anywhere)[kind, value] = person_id
    if mails:
        for rank in (own, anywhere):
            rank |= {name: rank[as_kept] for name in names - rank.keys() if (as_kept := _as_kept(name)) in rank}
    return Known(own, concluded | anywhere)


def _as_kept(name: Identity) -> Identity:
    return name[0], spelled(*name)


_by_mail = bulk.Among(sa.select(people.c.email, people.c.id), people.c.email)
_i = identities.c
_mapped = bulk.Among(
    sa.select(_i.source, _i.kind, _i.value, _i.person_id).where(
        _i.source.in_([sa.bindparam("own"), sa.bindparam("anywhere")])
    ),
    _i.value,
)
