"""Where the app may post."""

from sandbox.api_call import ApiError, Call, known_channel
from sandbox.model import Channel


def of_message(call: Call, name: str) -> Channel:
    """A channel by id or #name, or a person, whose direct conversation with the app is opened by posting to it."""
    if name.startswith(("U", "W")):
        return of_person(call, name)
    workspace = call.platform.workspace
    by_name = {f"#{channel.name}": channel.id for channel in workspace.channels if not channel.is_im}
    return _open(call, by_name.get(name, name), anywhere=call.has_scope("chat:write.public"))


def of_file(call: Call, channel_id: str) -> Channel:
    """A channel by its id only, and only one that the app belongs to."""
    return _open(call, channel_id, anywhere=False)


def of_person(call: Call, member_id: str) -> Channel:
    workspace = call.platform.workspace
    member = workspace.find_member(member_id)
    if member is None or member.deleted:
        raise ApiError("channel_not_found")
    if member.is_bot:
        raise ApiError("cannot_dm_bot")
    if not workspace.app.messages_tab:
        raise ApiError("messages_tab_disabled")
    return workspace.open_dm(workspace.app.bot_user, member_id)


def thread_in(call: Call, channel: Channel) -> str:
    """The thread that the call is to continue, or nothing. Replies and ephemeral messages have no thread."""
    thread = str(call.args.get("thread_ts") or "")
    if not thread:
        return ""
    parent = call.platform.workspace.find_message(channel.id, thread)
    if parent is None or parent.thread_ts or parent.ephemeral_to:
        raise ApiError("thread_not_found")
    return thread


def _open(call: Call, channel_id: str, *, anywhere: bool) -> Channel:
    channel = known_channel(call, channel_id)
    if channel.is_archived:
        raise ApiError("is_archived")
    if channel.is_im and not call.platform.workspace.app.messages_tab:
        raise ApiError("messages_tab_disabled")
    if call.platform.workspace.app.bot_user not in channel.members and not anywhere:
        raise ApiError("not_in_channel")
    return channel
