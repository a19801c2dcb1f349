"""Events: what happens in the workspace is told to an app that subscribed to it, up to four times until it is taken."""

import asyncio
import secrets

from sandbox import api_people, transport
from sandbox.model import Json, UserGroup
from sandbox.platform_state import Platform
from sandbox.socket_mode import NotDelivered
from sandbox.workspace import WorkspaceError

RETRIES = 3
MOST_USERS = 500
"""A group's members are cut off there."""
NEEDED = {
    "subteam_members_changed": "usergroups:read",
    "subteam_updated": "usergroups:read",
    "message.im": "im:history",
    "message.groups": "groups:history",
    "message.channels": "channels:history",
}
"""The scopes that events need; the others need none."""


async def set_user_group(platform: Platform, group_id: str, members: tuple[str, ...]) -> UserGroup:
    """Changes who is in the group, and tells the app."""
    workspace = platform.workspace
    before = next((group for group in workspace.user_groups if group.id == group_id), None)
    if before is None:
        raise WorkspaceError(f"there is no user group {group_id!r}")
    for member in members:
        workspace.member(member)
    if set(before.members) == set(members):
        return before
    after = workspace.change_group(group_id, members=members, date_update=int(platform.clock().timestamp()))
    await asyncio.gather(
        publish(platform, _members_changed(platform, before, after)),
        publish(platform, {"type": "subteam_updated", "subteam": _subteam(platform, after)}),
    )
    return after


async def publish(platform: Platform, event: Json, *, name: str = "", tries: int = 1 + RETRIES) -> None:
    """Tells the app, if it wants to know; `name` is what it subscribes to, where that is not the event's type.

    The platform waits a moment, a minute and five before it tries again; here it tries at once.
    """
    app = platform.workspace.app
    kind = name or event["type"]
    if kind not in app.events or (kind in NEEDED and NEEDED[kind] not in app.scopes):
        return
    payload, reason = _envelope(platform, event), ""
    for attempt in range(tries):
        try:
            await transport.send_event(platform, payload, attempt=attempt, reason=reason)
        except NotDelivered as why:
            reason = why.reason
            if why.is_final:
                break
        else:
            return
    if tries > 1:
        platform.warnings.append(f"event {event['type']} was not acknowledged ({reason})")


def _envelope(platform: Platform, event: Json) -> Json:
    workspace = platform.workspace
    app = workspace.app
    event_id = f"Ev{secrets.token_hex(5).upper()}"
    return {
        "token": app.verification_token,
        "team_id": workspace.team_id,
        "context_team_id": workspace.team_id,
        "context_enterprise_id": None,
        "api_app_id": app.id,
        "event": event | {"event_ts": f"{platform.clock().timestamp():.6f}"},
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(platform.clock().timestamp()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.team_id,
                "user_id": app.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    }


def _members_changed(platform: Platform, before: UserGroup, after: UserGroup) -> Json:
    added = [member for member in after.members if member not in before.members]
    removed = [member for member in before.members if member not in after.members]
    return {
        "type": "subteam_members_changed",
        "subteam_id": after.id,
        "team_id": platform.workspace.team_id,
        "date_previous_update": before.date_update,
        "date_update": after.date_update,
        "added_users": added,
        "added_users_count": len(added),
        "removed_users": removed,
        "removed_users_count": len(removed),
    }


def _subteam(platform: Platform, group: UserGroup) -> Json:
    shown = api_people.group_json(platform, group)
    return shown | {"users": api_people.active(platform, group)[:MOST_USERS]}
