"""`users.*` and `usergroups.*`: who is there."""

from zoneinfo import ZoneInfo

from sandbox.api_call import ApiError, Call, Method, page_of
from sandbox.model import Json, Member, UserGroup
from sandbox.platform_state import Platform
from sandbox.workspace import Workspace

AVATAR = "https://avatars.invalid/"


def info(call: Call) -> Json:
    member = call.platform.workspace.find_member(call.text("user"))
    if member is None:
        raise ApiError("user_not_found")
    return {"user": as_json(call, member)}


def lookup_by_email(call: Call) -> Json:
    """A deactivated person is not found, although `users.info` still knows them."""
    email = call.text("email").casefold()
    for member in call.platform.workspace.members:
        if member.email.casefold() == email and not member.deleted:
            return {"user": as_json(call, member)}
    raise ApiError("users_not_found")


def everyone(call: Call) -> Json:
    members, metadata = page_of(call.platform.workspace.members, call)
    shown = [as_json(call, member) for member in members]
    now = int(call.platform.clock().timestamp())
    return {"members": shown, "cache_ts": now, "response_metadata": metadata}


def groups(call: Call) -> Json:
    _require_paid_plan(call)
    shown = [_group(call, group) for group in call.platform.workspace.user_groups]
    return {"usergroups": shown}


def group_members(call: Call) -> Json:
    _require_paid_plan(call)
    wanted = call.text("usergroup")
    for group in call.platform.workspace.user_groups:
        if group.id == wanted:
            return {"users": active(call.platform, group)}
    raise ApiError("no_such_subteam")


def as_json(call: Call, member: Member) -> Json:
    workspace = call.platform.workspace
    profile: Json = {
        "title": member.title,
        "real_name": member.real_name,
        "display_name": member.name,
        "team": workspace.team_of(member),
        "image_72": f"{AVATAR}{member.id}.png",
    }
    if call.has_scope("users:read.email") and member.email:
        profile["email"] = member.email
    offset = call.platform.clock().astimezone(ZoneInfo(member.tz)).utcoffset()
    shown: Json = {
        "id": member.id,
        "team_id": workspace.team_of(member),
        "name": member.name,
        "deleted": member.deleted,
        "profile": profile,
        "is_bot": member.is_bot,
        "is_app_user": False,
    }
    if member.deleted:
        return shown
    return shown | {
        "real_name": member.real_name,
        "color": member.colour.lstrip("#"),
        "tz": member.tz,
        "tz_label": member.tz,
        "tz_offset": int(offset.total_seconds()) if offset else 0,
        "is_admin": member.is_admin,
        "is_owner": False,
        "is_restricted": member.is_restricted,
        "is_ultra_restricted": member.is_ultra_restricted,
        "is_stranger": member.is_stranger,
        "is_email_confirmed": member.is_email_confirmed,
        **_organization(workspace, member),
    }


def _organization(workspace: Workspace, member: Member) -> Json:
    enterprise = workspace.enterprise_of(member)
    if not enterprise:
        return {}
    return {"enterprise_user": {"id": member.id, "enterprise_id": enterprise, "teams": [workspace.team_of(member)]}}


def _group(call: Call, group: UserGroup) -> Json:
    users = {"users": active(call.platform, group)} if call.flag("include_users") else {}
    return group_json(call.platform, group) | users


def group_json(platform: Platform, group: UserGroup) -> Json:
    return {
        "id": group.id,
        "team_id": platform.workspace.team_id,
        "is_usergroup": True,
        "handle": group.handle,
        "name": group.name,
        "date_update": group.date_update,
        "date_delete": 0,
        "user_count": len(active(platform, group)),
    }


def active(platform: Platform, group: UserGroup) -> list[str]:
    return [member for member in group.members if not platform.workspace.member(member).deleted]


def _require_paid_plan(call: Call) -> None:
    if not call.platform.workspace.paid_plan:
        raise ApiError("plan_upgrade_required")


METHODS = {
    "users.info": Method(run=info, scopes=("users:read",)),
    "users.lookupByEmail": Method(run=lookup_by_email, scopes=("users:read.email",)),
    "users.list": Method(run=everyone, scopes=("users:read",)),
    "usergroups.list": Method(run=groups, scopes=("usergroups:read",)),
    "usergroups.users.list": Method(run=group_members, scopes=("usergroups:read",)),
}
