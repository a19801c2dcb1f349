"""Events of messages: an app hears what is said where it is a member, of people, of itself, and of what was changed."""

import secrets
from functools import partial

from sandbox import events
from sandbox.model import Channel, Json, Message
from sandbox.payloads import message_json
from sandbox.platform_state import Platform

KINDS = {"im": "message.im", "group": "message.groups", "channel": "message.channels"}
"""What an app subscribes to, by the kind of the conversation; the event itself is a `message` in all of them."""


async def said(platform: Platform, message: Message) -> None:
    """A person wrote something: the app is told, when it is connected, and again if it did not take it."""
    if platform.hold.why:
        platform.hold.keep(partial(said, platform, message))
        return
    shown = message_json(platform, message)
    await _tell(platform, message, shown | {"client_msg_id": secrets.token_hex(16)})


async def said_by_app(platform: Platform, message: Message) -> None:
    """The app hears of its own messages as well, with its `bot_id` in them; once, whether it takes that or not."""
    await _tell(platform, message, message_json(platform, message), tries=1)


async def changed(platform: Platform, before: Message, after: Message) -> None:
    """A message was edited, by a person or by the app."""
    shown = {"message": message_json(platform, after), "previous_message": message_json(platform, before)}
    await _tell(platform, after, _hidden("message_changed", after, shown), tries=1)


async def deleted(platform: Platform, before: Message) -> None:
    shown = {"deleted_ts": before.ts, "previous_message": message_json(platform, before)}
    await _tell(platform, before, _hidden("message_deleted", before, shown), tries=1)


def _hidden(subtype: str, message: Message, shown: Json) -> Json:
    return {"type": "message", "subtype": subtype, "hidden": True, "ts": message.ts, **shown}


async def _tell(platform: Platform, message: Message, event: Json, *, tries: int = 1 + events.RETRIES) -> None:
    workspace = platform.workspace
    place = workspace.find_channel(message.channel)
    if place is None or message.ephemeral_to or workspace.app.bot_user not in place.members:
        return
    kind = _kind(place)
    where = {"channel": place.id, "channel_type": kind, "team": workspace.team_id}
    await events.publish(platform, event | where, name=KINDS[kind], tries=tries)


def _kind(place: Channel) -> str:
    if place.is_im:
        return "im"
    return "group" if place.is_private else "channel"
