"""`chat.*`: messages of the app."""

import json
from dataclasses import replace

from sandbox import content, destinations, message_events
from sandbox.api_call import ApiError, Call, Method, RateLimited, invalid_arguments, known_channel
from sandbox.model import Channel, Json, Message
from sandbox.payloads import message_json

LONGEST_UPDATE = 4000


def post_message(call: Call) -> Json:
    channel = destinations.of_message(call, call.text("channel"))
    said = content.read(call.args, can_show=call.platform.can_show)
    draft = _draft(call, channel, said)
    draft = replace(draft, broadcast=bool(draft.thread_ts) and call.flag("reply_broadcast"))
    if wait := call.platform.posts.seconds_to_wait(channel.id):
        raise RateLimited(wait)
    message = call.platform.workspace.post(draft, now=call.platform.clock())
    call.platform.soon(message_events.said_by_app(call.platform, message))
    shown = message_json(call.platform, message)
    return {"channel": channel.id, "ts": message.ts, "message": shown, **_warned(call, said)}


def post_ephemeral(call: Call) -> Json:
    channel = destinations.of_message(call, call.text("channel"))
    reader = call.text("user")
    if reader not in channel.members:
        raise ApiError("user_not_in_channel")
    said = content.read(call.args, can_show=call.platform.can_show)
    draft = _draft(call, channel, said, ephemeral_to=reader)
    message = call.platform.workspace.post(draft, now=call.platform.clock())
    return {"message_ts": message.ts, **_warned(call, said)}


def update(call: Call) -> Json:
    """Blocks are dropped when only text is given: the platform does the same."""
    message = _own_message(call, "cant_update_message")
    said = content.read(call.args, can_show=call.platform.can_show, longest=LONGEST_UPDATE)
    metadata = _metadata(call) if "metadata" in call.args else message.metadata
    changed = call.platform.workspace.amend(
        message, now=call.platform.clock(), text=said.text, blocks=said.blocks, metadata=metadata
    )
    call.platform.soon(message_events.changed(call.platform, message, changed))
    shown = message_json(call.platform, changed)
    return {"channel": changed.channel, "ts": changed.ts, "text": changed.text, "message": shown, **_warned(call, said)}


def delete(call: Call) -> Json:
    message = _own_message(call, "cant_delete_message")
    call.platform.workspace.remove(message)
    call.platform.soon(message_events.deleted(call.platform, message))
    return {"channel": message.channel, "ts": message.ts}


def _draft(call: Call, channel: Channel, said: content.Content, *, ephemeral_to: str = "") -> Message:
    return Message(
        channel=channel.id,
        ts="",
        author=call.platform.workspace.app.bot_user,
        text=said.text,
        blocks=said.blocks,
        metadata=_metadata(call),
        thread_ts=destinations.thread_in(call, channel),
        ephemeral_to=ephemeral_to,
        from_app=True,
    )


def _own_message(call: Call, refusal: str) -> Message:
    workspace = call.platform.workspace
    channel = known_channel(call, call.text("channel"))
    message = workspace.find_message(channel.id, call.text("ts"))
    if message is None or message.ephemeral_to:
        raise ApiError("message_not_found")
    if message.author != workspace.app.bot_user:
        raise ApiError(refusal)
    return message


def _metadata(call: Call) -> Json | None:
    given = call.args.get("metadata")
    if not given:
        return None
    try:
        metadata = json.loads(given) if isinstance(given, str) else given
    except ValueError as why:
        raise ApiError("invalid_metadata_format") from why
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_payload"), dict):
        raise ApiError("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str):
        raise invalid_arguments("missing required field: event_type [json-pointer:/metadata]")
    return metadata


def _warned(call: Call, said: content.Content) -> Json:
    if not said.warnings:
        return {}
    call.platform.warnings.extend(said.warnings)
    return {"warning": ",".join(said.warnings), "response_metadata": {"warnings": list(said.warnings)}}


METHODS = {
    "chat.postMessage": Method(run=post_message, scopes=("chat:write",)),
    "chat.postEphemeral": Method(run=post_ephemeral, scopes=("chat:write",)),
    "chat.update": Method(run=update, scopes=("chat:write",)),
    "chat.delete": Method(run=delete, scopes=("chat:write",)),
}
