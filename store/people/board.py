"""Who sits on the governance board: by role, or by the members of a Slack user group; and who stands in for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from store.tables.exceptions import board_group, delegations
from store.tables.people import people, person_roles

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from store.engine import Session


class Roled(NamedTuple):
    """A person in the board's user group, or with a role that concerns the board."""

    person_id: str
    roles: frozenset[str]
    in_group: bool


class Delegation(NamedTuple):
    person_id: str
    delegate_id: str
    last_day: date


BOARD_ROLES = ("board", "alternate", "chair", "finance")
BYSTANDERS = ("admin", "auditor")
"""Administrators and auditors of the programme do not decide in it."""
_bystanders = sa.select(person_roles.c.person_id).where(person_roles.c.role.in_(BYSTANDERS))
_d = delegations.c
_today: sa.BindParameter[date] = sa.bindparam("today", type_=sa.Date())


def _is_able(person_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether a person can decide something, for themselves or for someone else; asked of few, whatever the company."""
    one = people.alias("able")
    employed = sa.or_(one.c.left_on.is_(None), one.c.left_on >= _today)
    return sa.exists().where(one.c.id == person_id, employed, one.c.id.not_in(_bystanders))


# Each press asks these, and they take longer to put together than to answer.
_IN_FORCE = (_d.ended_at.is_(None), _d.last_day >= _today, _is_able(_d.delegate_id))
_DELEGATES = sa.select(_d.person_id, _d.delegate_id).where(*_IN_FORCE).order_by(_d.id)
_ROLED = (
    sa.select(person_roles.c.person_id, person_roles.c.role)
    .join(people, people.c.id == person_roles.c.person_id)
    .where(person_roles.c.role.in_(BOARD_ROLES), _is_able(people.c.id))
)
_GROUPED = (
    sa.select(people.c.id)
    .join(board_group, board_group.c.slack_user_id == people.c.slack_user_id)
    .where(board_group.c.usergroup == sa.bindparam("usergroup"), _is_able(people.c.id))
)


def roled(session: Session, usergroup: str | None, today: date) -> list[Roled]:
    """Everyone who may have a seat: those who have not left and neither administer nor audit, by id."""
    roles: dict[str, set[str]] = {}
    for person_id, role in session.execute(_ROLED, {"today": today}):
        roles.setdefault(person_id, set()).add(role)
    grouped: set[str] = set()
    if usergroup is not None:
        grouped = set(session.execute(_GROUPED, {"today": today, "usergroup": usergroup}).scalars())
    everybody = sorted(roles.keys() | grouped)
    return [Roled(id_, frozenset(roles.get(id_, ())), id_ in grouped) for id_ in everybody]


def bystanders(session: Session) -> frozenset[str]:
    """Everyone who administers or audits the programme."""
    return frozenset(session.execute(_bystanders).scalars())


def left(session: Session, person_ids: Iterable[str], today: date) -> frozenset[str]:
    """Those of some people who have left the company."""
    query = sa.select(people.c.id).where(people.c.id.in_(sorted(set(person_ids))), people.c.left_on < today)
    return frozenset(session.execute(query).scalars())


class Attendee(NamedTuple):
    """A person as they are today: whether they can decide anything, and who stands in for them, if anyone can."""

    name: str
    slack_user_id: str | None
    manager_id: str | None
    time_zone: str
    has_left: bool
    is_bystander: bool
    delegate_id: str | None
    delegate_name: str | None
    delegate_slack_user_id: str | None


_delegate = people.alias("delegate")


def attending(named: sa.FromClause) -> sa.Select[Any]:
    """Those whose ids are the first column of `named`, as they are `today`, for `attendees`.

    A person who left, or now administers, stands in for no one.
    """
    return (
        sa.select(
            people.c.id,
            people.c.name,
            people.c.slack_user_id,
            people.c.manager_id,
            people.c.time_zone,
            sa.func.coalesce(people.c.left_on < _today, sa.false()).label("has_left"),
            people.c.id.in_(_bystanders).label("is_bystander"),
            _delegate.c.id.label("delegate_id"),
            _delegate.c.name.label("delegate_name"),
            _delegate.c.slack_user_id.label("delegate_slack_user_id"),
            sa.func.coalesce(_d.id, 0).label("delegation_id"),
        )
        .join_from(named, people, people.c.id == next(iter(named.c)))
        .outerjoin(delegations, sa.and_(_d.person_id == people.c.id, *_IN_FORCE))
        .outerjoin(_delegate, _delegate.c.id == _d.delegate_id)
    )


def attendees(rows: Iterable[Sequence[Any]]) -> dict[str, Attendee]:
    """People by id; of several delegations the last holds."""
    found: dict[str, Attendee] = {}
    for id_, name, slack, manager, zone, left, bystander, *delegate, _ in sorted(rows, key=lambda row: row[-1]):
        found[id_] = Attendee(name, slack, manager, zone, bool(left), bool(bystander), *delegate)
    return found


def group_members(session: Session, usergroup: str) -> set[str]:
    """The Slack users of a group, as they were read last."""
    query = sa.select(board_group.c.slack_user_id).where(board_group.c.usergroup == usergroup)
    return set(session.execute(query).scalars())


def replace_group(session: Session, usergroup: str, slack_user_ids: Iterable[str]) -> None:
    session.execute(sa.delete(board_group).where(board_group.c.usergroup == usergroup))
    rows = [{"usergroup": usergroup, "slack_user_id": user} for user in sorted(set(slack_user_ids))]
    if rows:
        session.execute(sa.insert(board_group), rows)


def delegations_on(session: Session, today: date) -> dict[str, Delegation]:
    """The delegations in force on a day, by the member who made them."""
    query = sa.select(_d.person_id, _d.delegate_id, _d.last_day).order_by(_d.id)
    query = query.where(_d.ended_at.is_(None), _d.last_day >= today)
    return {row.person_id: Delegation._make(row) for row in session.execute(query)}


def delegates_on(session: Session, today: date) -> dict[str, str]:
    """Who stands in for whom on a day, by member: those of the delegations in force whose delegate is able to."""
    return {member: delegate_id for member, delegate_id in session.execute(_DELEGATES, {"today": today})}


class Standing(NamedTuple):
    """A delegation in force, by its id."""

    id: int
    delegate_id: str


def current(session: Session, person_id: str, today: date) -> Standing | None:
    """What a member handed over and is in force."""
    query = sa.select(_d.id, _d.delegate_id).where(
        _d.person_id == person_id, _d.ended_at.is_(None), _d.last_day >= today
    )
    row = session.execute(query.order_by(_d.id.desc()).limit(1)).one_or_none()
    return None if row is None else Standing(*row)


def end_delegation(session: Session, person_id: str, *, now: datetime) -> int:
    """End whatever a member delegated; how many."""
    open_ones = sa.update(delegations).where(_d.person_id == person_id, _d.ended_at.is_(None))
    return session.execute(open_ones.values(ended_at=now)).rowcount


def delegate(session: Session, made: Delegation, *, now: datetime) -> None:
    session.execute(sa.insert(delegations).values(made_at=now, **made._asdict()))
