"""`conversations.*`: channels and direct conversations."""

from sandbox.api_call import ApiError, Call, Method, known_channel, page_of
from sandbox.model import Channel, Json, Message
from sandbox.payloads import message_json

SCOPE_NAMES = {"public_channel": "channels", "private_channel": "groups", "im": "im"}
READ = tuple(f"{name}:read" for name in SCOPE_NAMES.values())
HISTORY = tuple(f"{name}:history" for name in SCOPE_NAMES.values())


def open_dm(call: Call) -> Json:
    """One person only: conversations of several people are left out of this workspace."""
    workspace = call.platform.workspace
    if call.args.get("channel"):
        return {"channel": {"id": known_channel(call, call.text("channel")).id}}
    users = call.args.get("users")
    names = users if isinstance(users, list) else str(users or "").split(",")
    if names in ([], [""]):
        raise ApiError("users_list_not_supplied")
    if len(names) > 1:
        raise ApiError("too_many_users")
    member = workspace.find_member(str(names[0]).strip())
    if member is None:
        raise ApiError("user_not_found")
    if member.deleted:
        raise ApiError("user_disabled")
    if member.is_bot:
        raise ApiError("cannot_dm_bot")
    channel = workspace.open_dm(workspace.app.bot_user, member.id)
    shown = _channel(call, channel) if call.flag("return_im") else {"id": channel.id}
    return {"channel": shown}


def info(call: Call) -> Json:
    channel = _readable(call, "read")
    return {"channel": _channel(call, channel)}


def listing(call: Call) -> Json:
    kinds = str(call.args.get("types") or "public_channel").split(",")
    for kind in kinds:
        if kind not in SCOPE_NAMES:
            raise ApiError("invalid_types")
        call.require_scope(f"{SCOPE_NAMES[kind]}:read")
    bot = call.platform.workspace.app.bot_user
    found = [channel for channel in call.platform.workspace.channels_of(bot) if _kind(channel) in kinds]
    if call.flag("exclude_archived"):
        found = [channel for channel in found if not channel.is_archived]
    channels, metadata = page_of(found, call)
    return {"channels": [_channel(call, channel) for channel in channels], "response_metadata": metadata}


def members(call: Call) -> Json:
    channel = _readable(call, "read")
    found, metadata = page_of(sorted(channel.members), call)
    return {"members": found, "response_metadata": metadata}


def history(call: Call) -> Json:
    """Newest first, without the replies of threads; metadata only when asked for."""
    channel, bot = _own(call), call.platform.workspace.app.bot_user
    messages = call.platform.workspace.main_flow(channel.id, bot)
    return _messages(call, [m for m in reversed(messages) if _in_period(call, m) and not m.ephemeral_to])


def replies(call: Call) -> Json:
    """The parent, then its replies, oldest first; of a message without replies, or of a reply, only itself."""
    channel, workspace = _own(call), call.platform.workspace
    parent = workspace.find_message(channel.id, call.text("ts"))
    if parent is None or parent.ephemeral_to:
        raise ApiError("thread_not_found")
    found = [m for m in workspace.replies(channel.id, parent.ts) if _in_period(call, m) and not m.ephemeral_to]
    return _messages(call, [parent, *found])


def _own(call: Call) -> Channel:
    channel = _readable(call, "history")
    if call.platform.workspace.app.bot_user not in channel.members:
        raise ApiError("not_in_channel")
    return channel


def _in_period(call: Call, message: Message) -> bool:
    oldest, latest = (str(call.args.get(key) or "") for key in ("oldest", "latest"))
    if call.flag("inclusive") and message.ts in (oldest, latest):
        return True
    return message.ts > oldest and (not latest or message.ts < latest)


def _messages(call: Call, messages: list[Message]) -> Json:
    found, metadata = page_of(messages, call)
    shown = [message_json(call.platform, message) for message in found]
    if not call.flag("include_all_metadata"):
        shown = [{key: value for key, value in message.items() if key != "metadata"} for message in shown]
    return {"messages": shown, "has_more": bool(metadata["next_cursor"]), "response_metadata": metadata}


def _readable(call: Call, verb: str) -> Channel:
    channel = known_channel(call, call.text("channel"))
    call.require_scope(f"{SCOPE_NAMES[_kind(channel)]}:{verb}")
    return channel


def _kind(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    return "private_channel" if channel.is_private else "public_channel"


def _channel(call: Call, channel: Channel) -> Json:
    bot = call.platform.workspace.app.bot_user
    if channel.is_im:
        return {"id": channel.id, "is_im": True, "user": channel.counterpart(bot), "is_archived": channel.is_archived}
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_im": False,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_ext_shared": channel.is_ext_shared,
        "is_member": bot in channel.members,
        "num_members": len(channel.members),
        "purpose": {"value": channel.purpose, "creator": "", "last_set": 0},
    }


METHODS = {
    "conversations.open": Method(run=open_dm, scopes=("im:write",)),
    "conversations.info": Method(run=info, scopes=READ),
    "conversations.list": Method(run=listing, scopes=READ),
    "conversations.members": Method(run=members, scopes=READ),
    "conversations.history": Method(run=history, scopes=HISTORY),
    "conversations.replies": Method(run=replies, scopes=HISTORY),
}
