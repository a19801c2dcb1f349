"""People and groups between SCIM's models and the programme's own words."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, cast

import msgspec
from scim2_models import Meta, Reference

from handlers.scim.resources import Email, EnterpriseUser, FullUser, Group, GroupMember, Manager, Name, Participation
from programme.people import told as telling
from programme.people.told import Said

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from scim2_models import Resource

    from store.people.groups import Group as Kept
    from store.people.provisioned import Record

USER, GROUP = "User", "Group"
_PARTICIPATION = {
    "level": "level",
    "role_family": "role_family",
    "pay_band": "pay_band",
    "fte": "fte",
    "hired_on": "hired_on",
    "last_day": "left_on",
}
_ENTERPRISE = {"department": "department", "cost_center": "cost_centre"}
"""Our words for what is in an extension."""
_NAMES = ("formatted", "given_name", "family_name")


def said(resource: Resource[Any]) -> Said:
    """What a provider says of a person."""
    user = cast("FullUser", resource)
    enterprise, ours = user[EnterpriseUser], user[Participation]
    columns = {"time_zone": user.timezone}
    columns |= {column: getattr(enterprise, name) for name, column in _ENTERPRISE.items() if enterprise}
    columns |= {column: getattr(ours, name) for name, column in _PARTICIPATION.items() if ours}
    names = {name: getattr(user.name, name) for name in _NAMES if user.name} | {"display_name": user.display_name}
    emails = [one.model_dump(include={"value", "type", "primary"}) for one in user.emails or ()]
    manager = enterprise.manager if enterprise else None
    return Said(
        str(user.user_name),
        user.external_id or None,
        user.active,
        {name: value for name, value in names.items() if value},
        tuple({key: value for key, value in one.items() if value is not None} for one in emails),
        {name: value for name, value in columns.items() if value},
        _manager(manager) if manager else None,
        ours.accepted_offer if ours else None,
    )


def _manager(manager: Manager) -> str | None:
    return manager.value or (str(manager.ref).rpartition("/")[2] if manager.ref else None)


def user(record: Record, today: date) -> FullUser:
    """A person as a provider reads them."""
    told = telling.said_of(record, today)
    scim = record.scim or {}
    names = {name: told.names[name] for name in _NAMES if name in told.names}
    made = FullUser(
        id=record.person["id"],
        external_id=told.external_id,
        user_name=told.user_name,
        name=Name(**names) if names else None,
        display_name=told.names.get("display_name"),
        timezone=told.attributes.get("time_zone"),
        active=told.active,
        emails=[Email(**one) for one in told.emails],
        meta=_meta(USER, _digest(record), scim.get("created_at"), scim.get("modified_at")),
    )
    enterprise = {name: told.attributes.get(column) for name, column in _ENTERPRISE.items()}
    ours = {name: told.attributes.get(column) for name, column in _PARTICIPATION.items()}
    manager = _shown(told.manager, record) if told.manager else None
    if manager or any(enterprise.values()):
        made[EnterpriseUser] = EnterpriseUser.model_validate({**enterprise, "manager": manager})
    if any(ours.values()):
        made[Participation] = Participation.model_validate(ours)
    return made


def _shown(manager: str, record: Record) -> Manager:
    """The manager with where they are, unless we wait for them."""
    is_known = manager == record.person["manager_id"]
    return Manager(value=manager, ref=Reference(f"Users/{manager}") if is_known else None)


def _meta(kind: str, digest: str, created: datetime | None, modified: datetime | None) -> Meta:
    return Meta(resource_type=kind, created=created, last_modified=modified, version=f'W/"{digest}"')


def _digest(record: Record) -> str:
    """What changes whenever the person is told differently, whoever changed them."""
    scim = {name: value for name, value in (record.scim or {}).items() if name != "modified_at"}
    return digest([record.person, scim])


def digest(content: object) -> str:
    return hashlib.sha256(msgspec.json.encode(content, enc_hook=str)).hexdigest()[:16]


def group(kept: Kept, members: Sequence[str]) -> Group:
    """A group as a provider reads it; members by id."""
    return Group(
        id=kept.id,
        external_id=kept.external_id,
        display_name=kept.name,
        members=[GroupMember(value=one, ref=Reference(f"Users/{one}")) for one in members] or None,
        meta=_meta(GROUP, digest([kept.name, kept.external_id, members]), kept.created_at, kept.modified_at),
    )
