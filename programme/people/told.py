"""How an identity provider and our records tell of the same person: from one to the other, and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from policy.parameters.grants import LEVELS
from programme.files.cells import PERMILLE
from programme.people.directory_file import CLEAR

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from store.people.provisioned import Record

UNASSIGNED = "unassigned"
"""The role family of people whose level or family nobody has told yet: no handbook lets it take part."""
NAMES = ("formatted", "given_name", "family_name", "display_name")
PLAIN = ("pay_band", "department", "cost_centre")
ATTRIBUTES = ("level", "role_family", "fte", "time_zone", "hired_on", "left_on", *PLAIN)
"""Columns of a file of people that an identity provider may tell, as text."""


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody as an identity provider tells of them; what it leaves out is None or not there.

    `emails` are mappings of value, type and primary, `manager` is an id, an external id, a user name or an e-mail.
    `offer_id` is told of a joiner; no record has it.
    """

    user_name: str
    external_id: str | None = None
    active: bool | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    emails: tuple[Mapping[str, Any], ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    manager: str | None = None
    offer_id: str | None = None


def name_of(said: Said) -> str:
    """What someone is called: as it is displayed, else as it is formatted, else from its parts."""
    parts = " ".join(filter(None, (said.names.get("given_name"), said.names.get("family_name"))))
    return said.names.get("display_name") or said.names.get("formatted") or parts or said.user_name


def email_of(said: Said) -> str:
    """The address that is theirs at work: the primary one, else the first of the kind, else the user name."""
    ranks = (lambda one: one.get("primary"), lambda one: one.get("type") == "work", lambda _: True)
    found = (one["value"] for fits in ranks for one in said.emails if one.get("value") and fits(one))
    return str(next(found, said.user_name)).lower()


def said_of(record: Record, today: date) -> Said:
    """How a record is told to an identity provider.

    Columns that it never told, or took away, are left out where a provider made the record. Names and addresses are as
    they were told, unless they have changed here since.
    """
    told = _told(record)
    said = Said(
        record.user_name,
        record.person["external_id"],
        None if "active" in told["hidden"] else _here(record, told, today),
        told["names"],
        tuple(told["emails"]),
        _attributes(record.person, told),
        None if "manager" in told["hidden"] else (record.scim or {}).get("awaits") or record.person["manager_id"],
    )
    names = said.names if name_of(said) == record.person["name"] else {"display_name": record.person["name"]}
    email = record.person["email"]
    emails = said.emails if email_of(said) == email else ({"value": email, "type": "work", "primary": True},)
    return Said(said.user_name, said.external_id, said.active, names, emails, said.attributes, said.manager)


def _told(record: Record) -> dict[str, Any]:
    empty: dict[str, Any] = {"names": {}, "emails": [], "told": [], "hidden": [], "waiting": {}}
    if record.scim is None:
        return empty | {"names": {"display_name": record.person["name"]}}
    return {**empty, **record.scim["told"]}


def _here(record: Record, told: Mapping[str, Any], today: date) -> bool:
    """Whether they are here; on their last day they are, unless the provider has deactivated them that day."""
    left_on: date | None = record.person["left_on"]
    return left_on is None or left_on > today or (left_on == today and "off" not in told)


def _attributes(person: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, str]:
    shown = {name: text for name in ATTRIBUTES if (text := _text(person, name)) and name not in told["hidden"]}
    if person["role_family"] == UNASSIGNED:
        shown.pop("role_family", None)
    return {**shown, **told["waiting"]}


def _text(person: Mapping[str, Any], name: str) -> str:
    """A column as a file of people has it."""
    if name == "fte":
        return f"{Decimal(person['fte_permille']) / PERMILLE:f}"
    value = person.get(name)
    return value.isoformat() if isinstance(value, date) else value or ""


@dataclass(frozen=True, slots=True)
class Turned:
    """What a change comes to: cells of a line of a file of people, what is kept beside, and the manager to look for.

    `manager` is None where nothing changes, and empty where they have none any more.
    """

    cells: dict[str, str]
    kept: dict[str, Any]
    manager: str | None


def turned(after: Said, record: Record | None, *, today: date, zone: ZoneInfo) -> Turned:
    """What a provider's new account of someone changes of their record; all of it, for a new one."""
    before = said_of(record, today) if record else Said("")
    told = _told(record) if record else _told_of_new()
    changed = {name for name in ATTRIBUTES if after.attributes.get(name) != before.attributes.get(name)}
    told = _noted(told, after, before, changed)
    # What was left out and is not the provider's own stays.
    kept = {n: before.attributes[n] for n in changed if n not in after.attributes and n not in _owned(record)}
    attributes = {**after.attributes, **kept}
    cells, waiting = _cells(attributes, changed - kept.keys(), is_new=record is None, today=today, zone=zone)
    told_day = attributes.get("left_on", "")
    last, off = _last_day(after, record, (before.attributes.get("left_on", ""), told_day), today)
    if last is not None and (record or last):
        cells["left_on"] = last or CLEAR
    if off and told_day and (last or _text(record.person if record else {}, "left_on")) != told_day:
        waiting["left_on"] = told_day
    told |= {"names": dict(after.names), "emails": [dict(one) for one in after.emails], "waiting": waiting}
    told = {**{k: v for k, v in told.items() if k != "off"}, **({"off": True} if off else {})}
    if record is None or name_of(after) != record.person["name"]:
        cells["name"] = name_of(after)
    if after.external_id != before.external_id:
        cells["external_id"] = after.external_id or CLEAR
    return Turned(cells, told, _manager(after, before, record))


def _told_of_new() -> dict[str, Any]:
    return {"told": [], "hidden": [*ATTRIBUTES, "manager"], "waiting": {}}


def _owned(record: Record | None) -> set[str]:
    return set(_told(record)["told"]) if record else set()


def _noted(told: Mapping[str, Any], after: Said, before: Said, changed: set[str]) -> dict[str, Any]:
    """Which attributes are the provider's own now, and which are not to be told to it."""
    there = {name for name in changed if after.attributes.get(name)}
    if after.manager != before.manager:
        changed, there = changed | {"manager"}, there | ({"manager"} if after.manager else set())
    if after.active is not before.active and (before.active is not None or after.active is not None):
        changed, there = changed | {"active"}, there | ({"active"} if after.active is not None else set())
    return {
        **told,
        "told": sorted((set(told["told"]) - changed) | there),
        "hidden": sorted((set(told["hidden"]) | changed) - there),
    }


def _cells(
    attributes: Mapping[str, str], changed: set[str], *, is_new: bool, today: date, zone: ZoneInfo
) -> tuple[dict[str, str], dict[str, str]]:
    """The cells of what changed, and what is kept until it can hold: a role family counts with a level only."""
    cells = {name: attributes.get(name) or CLEAR for name in PLAIN if name in changed}
    waiting: dict[str, str] = {}
    level, family = attributes.get("level"), attributes.get("role_family")
    if is_new or changed & {"level", "role_family"}:
        cells |= {"level": level or LEVELS[0], "role_family": (level and family) or UNASSIGNED}
    if family and not level:
        waiting["role_family"] = family
    otherwise = {"fte": "1", "time_zone": zone.key, "hired_on": today.isoformat() if is_new else ""}
    for name, usual in otherwise.items():
        if is_new or name in changed:
            cells[name] = attributes.get(name) or usual
    return cells, waiting


def _last_day(after: Said, record: Record | None, change: tuple[str, str], today: date) -> tuple[str | None, bool]:
    """The last day, where it changes, and whether the provider has deactivated them.

    `change` is the day that it told before, and tells now. Who is deactivated leaves today, or on an earlier day that
    is told. Who is activated again leaves on the day that the provider itself tells, if any.
    """
    told_before, told = change
    was_here = record is None or _here(record, _told(record), today)
    is_here = was_here if after.active is None else after.active
    if is_here and was_here:
        return (None if told == told_before else told), False
    if is_here:
        return (told if told != told_before or "left_on" in _owned(record) else ""), False
    if not was_here and told == told_before:
        return None, True
    given = record.person["left_on"] if record and not was_here else today
    last = min(given, date.fromisoformat(told) if _is_day(told) else today)
    return max(last, _first_day(after, record, today)).isoformat(), True


def _first_day(after: Said, record: Record | None, today: date) -> date:
    told = after.attributes.get("hired_on", "")
    if _is_day(told):
        return date.fromisoformat(told)
    return record.person["hired_on"] if record else today


def _is_day(text: str) -> bool:
    """Whether a text is a day; what is none is told by whoever reads the cell."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _manager(after: Said, before: Said, record: Record | None) -> str | None:
    if after.manager == before.manager:
        return None
    return after.manager or ("" if "manager" in _owned(record) else None)
