"""Reads the description of a workspace; its shape is documented in `sandbox.workspace`."""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar, cast
from zoneinfo import available_timezones

from sandbox.model import Channel, InstalledApp, Json, Member, SlashCommand, UserGroup

COLOURS = ("#3b6ea8", "#8a5a9e", "#2f8069", "#b0603a", "#5b62b5", "#a24f70", "#4d7a34", "#94702a", "#2f7f92", "#7a5c4b")
LEAST_SCOPES = ("commands", "chat:write", "users:read", "users:read.email", "usergroups:read", "im:write")

T = TypeVar("T", Member, Channel, UserGroup, SlashCommand)


class WorkspaceError(ValueError):
    """The description of a workspace, or what was asked of it, makes no sense; the message names the field."""


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    name: str
    team_id: str
    enterprise_id: str
    domain: str
    paid_plan: bool
    welcome: str
    hints: tuple[Json, ...]
    app: InstalledApp
    members: tuple[Member, ...]
    channels: tuple[Channel, ...]
    user_groups: tuple[UserGroup, ...]


def read(plan: Json) -> Blueprint:
    team_id = str(plan.get("team_id", "T0SANDBOX"))
    app = _app(plan.get("app", {}), team_id)
    members = (*_records(plan, "members", _member), _bot(app))
    channels = _records(plan, "channels", _channel)
    groups = _records(plan, "user_groups", _user_group)
    _refuse_strangers(members, [(c.id, c.members) for c in channels] + [(g.id, g.members) for g in groups])
    return Blueprint(
        name=str(plan.get("name", "Workspace")),
        team_id=team_id,
        enterprise_id=str(plan.get("enterprise_id", "")),
        domain=str(plan.get("domain", "workspace")),
        paid_plan=bool(plan.get("paid_plan", True)),
        welcome=str(plan.get("welcome", "")),
        hints=tuple(_hint(hint) for hint in plan.get("hints", ())),
        app=app,
        members=members,
        channels=channels,
        user_groups=groups,
    )


def _records(plan: Json, key: str, build: Callable[[Json], T]) -> tuple[T, ...]:
    built: list[T] = []
    for number, entry in enumerate(plan.get(key, ())):
        try:
            built.append(build(dict(entry)))
        except (TypeError, ValueError) as why:
            raise WorkspaceError(f"{key}[{number}]: {why}") from why
    names = [record.command if isinstance(record, SlashCommand) else record.id for record in built]
    if len(set(names)) != len(names):
        raise WorkspaceError(f"{key}: two of them are called {max(names, key=names.count)!r}")
    return tuple(built)


def _member(entry: Json) -> Member:
    _expect_id(entry, "U", "W")
    entry.setdefault("real_name", str(entry.get("name", "")).title())
    entry.setdefault("colour", COLOURS[zlib.crc32(entry["id"].encode()) % len(COLOURS)])
    if entry.get("tz", "UTC") not in available_timezones():
        raise WorkspaceError(f"tz {entry['tz']!r} is not a time zone")
    return Member(**entry)


def _channel(entry: Json) -> Channel:
    _expect_id(entry, "C", "G")
    return Channel(**{**entry, "members": frozenset(entry.get("members", ()))})


def _user_group(entry: Json) -> UserGroup:
    _expect_id(entry, "S")
    return UserGroup(**{**entry, "members": tuple(entry.get("members", ()))})


def _expect_id(entry: Json, *letters: str) -> None:
    if not str(entry.get("id", "")).startswith(letters):
        raise WorkspaceError(f"id {entry.get('id')!r} should begin with {' or '.join(letters)}")


NO_TEXTS = ("commands", "scopes", "events", "home_tab", "messages_tab")


def _app(entry: Mapping[str, object], team_id: str) -> InstalledApp:
    known = {field.name for field in fields(InstalledApp)} - {"revoked", "refused_as"}
    if unknown := set(entry) - known:
        raise WorkspaceError(f"app: unknown field {min(unknown)!r}")
    texts = {key: str(value) for key, value in entry.items() if key not in NO_TEXTS}
    defaults = {
        "id": "A0SANDBOX",
        "name": "App",
        "bot_user": "U0APPBOT",
        "bot_id": "B0APPBOT",
        "bot_token": f"xoxb-{_derived(team_id, 'bot')}",
        "app_token": f"xapp-1-{_derived(team_id, 'app')}",
        "signing_secret": _derived(team_id, "signing"),
        "verification_token": _derived(team_id, "verification")[:24],
    }
    scopes = entry.get("scopes", LEAST_SCOPES)
    events = entry.get("events", ())
    commands = _records(dict(entry), "commands", lambda command: SlashCommand(**command))
    return InstalledApp(
        **cast("dict[str, Any]", defaults | texts),
        home_tab=bool(entry.get("home_tab", True)),
        messages_tab=bool(entry.get("messages_tab", True)),
        scopes=frozenset(scopes if isinstance(scopes, Iterable) else ()),
        commands=commands,
        events=frozenset(events if isinstance(events, Iterable) else ()),
    )


def _derived(team_id: str, what: str) -> str:
    """The same at every start, so that an app configured once keeps working."""
    return hashlib.sha256(f"{team_id}/{what}".encode()).hexdigest()[:32]


def _bot(app: InstalledApp) -> Member:
    handle = "".join(letter for letter in app.name.lower() if letter.isalnum()) or "app"
    return Member(id=app.bot_user, name=handle, real_name=app.name, is_bot=True, colour="#33456b", title="App")


def _hint(entry: object) -> Json:
    """A bare command, or a command with the label and the person that suit it."""
    if isinstance(entry, str):
        return {"command": entry, "label": "", "as": ""}
    if isinstance(entry, Mapping) and "command" in entry:
        return {"command": entry["command"], "label": entry.get("label", ""), "as": entry.get("as", "")}
    raise WorkspaceError(f"hints: {entry!r} is neither a command nor an object with a 'command'")


def _refuse_strangers(members: tuple[Member, ...], rosters: Iterable[tuple[str, Iterable[str]]]) -> None:
    known = {member.id for member in members}
    for place, roster in rosters:
        if unknown := set(roster) - known:
            raise WorkspaceError(f"{place}: {min(unknown)!r} is not a member of the workspace")
