"""Groups of an identity provider: one that is named after a role says who has it, any other is only kept."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from policy.reasons import Refusal
from programme.people.directory_file import ROLES
from programme.people.provisioning import GONE, INVALID, TAKEN
from store import audit
from store.people import directory as people_store
from store.people import groups

if TYPE_CHECKING:
    from collections.abc import Iterable

    from programme.moment import Moment
    from store.people.groups import Group

PREFIX = "tokens-"
"""Companies have groups named admin or finance that mean something else: nobody gets a vote by an accident of names."""


def role_of(name: str) -> str | None:
    """The role that a group with this name stands for, if any: `tokens-board` is the board."""
    key = name.casefold()
    role = key.removeprefix(PREFIX)
    return role if key.startswith(PREFIX) and role in ROLES else None


def members(moment: Moment, group: Group) -> list[str]:
    """The ids of the people in a group."""
    role = role_of(group.name)
    return groups.with_role(moment.session, role) if role else groups.members(moment.session, group.id)


def require(moment: Moment, group_id: str) -> Group:
    group = groups.by_id(moment.session, group_id)
    if group is None:
        raise Refusal(GONE, f"No group has the id {group_id!r}.")
    return group


def create(moment: Moment, name: str, external_id: str | None, people: Iterable[str] | None, *, actor: str) -> Group:
    """Add a group. Without members told, a group that is a role begins with those who have it."""
    _require_free(moment, name, None)
    group_id = f"grp_{secrets.token_hex(8)}"
    values = {"external_id": external_id, "name": name, "name_key": name.casefold()}
    groups.insert(moment.session, {"id": group_id, "created_at": moment.now, "modified_at": moment.now, **values})
    audit.note(moment.session, actor, "groups.add", group_id, at=moment.now, after={"name": name})
    group = require(moment, group_id)
    if people is not None:
        _set_members(moment, group, set(people), actor=actor)
    return group


def change(
    moment: Moment, group_id: str, name: str, external_id: str | None, people: Iterable[str], *, actor: str
) -> Group:
    """Make a group what a provider says of it now; with another name, its members have another role, or none."""
    before = require(moment, group_id)
    _require_free(moment, name, group_id)
    values = {"external_id": external_id, "name": name, "name_key": name.casefold(), "modified_at": moment.now}
    wanted = set(people)
    if role_of(before.name) != role_of(name):
        _set_members(moment, before, set(), actor=actor)
    groups.update(moment.session, group_id, values)
    after = require(moment, group_id)
    if name != before.name:
        was, is_now = {"name": before.name}, {"name": name}
        audit.note(moment.session, actor, "groups.change", group_id, at=moment.now, before=was, after=is_now)
    _set_members(moment, after, wanted, actor=actor)
    return after


def remove(moment: Moment, group_id: str, *, actor: str) -> None:
    """Forget a group; nobody has the role any more that it stood for."""
    group = require(moment, group_id)
    _set_members(moment, group, set(), actor=actor)
    groups.delete(moment.session, group_id)
    audit.note(moment.session, actor, "groups.remove", group_id, at=moment.now, before={"name": group.name})


def _require_free(moment: Moment, name: str, group_id: str | None) -> None:
    other = groups.by_name(moment.session, name.casefold())
    if other is not None and other.id != group_id:
        raise Refusal(TAKEN, f"displayName = {name!r} is that of the group {other.id} already.")


def _set_members(moment: Moment, group: Group, wanted: set[str], *, actor: str) -> None:
    if unknown := sorted(wanted - groups.known(moment.session, wanted)):
        raise Refusal(INVALID, f"members.value = {unknown[0]!r} is no user's id.")
    before = set(members(moment, group))
    if role := role_of(group.name):
        for person_id in sorted(before ^ wanted):
            _give(moment, person_id, role, has=person_id in wanted, actor=actor)
        return
    groups.change_members(moment.session, group.id, added=wanted - before, gone=before - wanted)


def _give(moment: Moment, person_id: str, role: str, *, has: bool, actor: str) -> None:
    had = people_store.roles_of(moment.session, person_id)
    roles = had | {role} if has else had - {role}
    people_store.set_roles(moment.session, person_id, roles)
    was, is_now = {"roles": sorted(had)}, {"roles": sorted(roles)}
    audit.note(moment.session, actor, "people.change", person_id, at=moment.now, before=was, after=is_now)
