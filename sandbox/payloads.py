"""What the app is sent, field by field as the platform sends it."""

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from sandbox import elements, files
from sandbox.modals import Modal
from sandbox.model import SYSTEM, Channel, File, Filled, Json, Member, Message, SlashCommand
from sandbox.platform_state import Platform
from sandbox.views import KeptView, Place

HOME_TITLE = {"type": "plain_text", "text": "View Title", "emoji": True}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A person who did something, where (and in which thread), and the command if they typed one."""

    platform: Platform
    member: Member
    place: Channel
    line: str = ""
    thread_ts: str = ""


def scene(platform: Platform, *, user: str, channel: str, line: str = "", thread_ts: str = "") -> Scene:
    member, place = platform.workspace.member(user), platform.workspace.channel(channel)
    return Scene(platform=platform, member=member, place=place, line=line.strip(), thread_ts=thread_ts)


def for_command(at: Scene, command: SlashCommand, text: str, response_url: str) -> Json:
    workspace = at.platform.workspace
    enterprise = workspace.enterprise_of(at.member)
    organization = {"enterprise_id": enterprise} if enterprise else {}
    return organization | {
        "token": workspace.app.verification_token,
        "team_id": workspace.team_of(at.member),
        "team_domain": workspace.domain,
        "channel_id": at.place.id,
        "channel_name": channel_name(at.place),
        "user_id": at.member.id,
        "user_name": at.member.name,
        "command": command.command,
        "text": typed_text(at.platform, text, named=True) if command.should_escape else text,
        "api_app_id": workspace.app.id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": at.platform.new_trigger(at.member.id),
    }


def for_action(at: Scene, message: Message, action: Json, response_url: str) -> Json:
    in_thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    return {
        "type": "block_actions",
        **_actor(at.platform, at.member),
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": at.place.id,
            "is_ephemeral": bool(message.ephemeral_to),
            **in_thread,
        },
        "trigger_id": at.platform.new_trigger(at.member.id),
        "channel": {"id": at.place.id, "name": channel_name(at.place)},
        "message": message_json(at.platform, message),
        "state": {"values": elements.values(message.blocks, _chosen_so_far(at, message))},
        "response_url": response_url,
        "actions": [action],
    }


def for_view_action(platform: Platform, kept: KeptView, action: Json) -> Json:
    within = kept.id if isinstance(kept, Modal) else ""
    return {
        "type": "block_actions",
        **_actor(platform, platform.workspace.member(kept.user)),
        "container": {"type": "view", "view_id": kept.id},
        "trigger_id": platform.new_trigger(kept.user, view=within),
        "view": view_json(platform, kept),
        "actions": [action],
    }


def for_suggestion(platform: Platform, kept: KeptView, place: Place, typed: str) -> Json:
    block_id, action_id = place
    return {
        "type": "block_suggestion",
        **_actor(platform, platform.workspace.member(kept.user)),
        "container": {"type": "view", "view_id": kept.id},
        "view": view_json(platform, kept),
        "action_id": action_id,
        "block_id": block_id,
        "value": typed,
    }


def for_view_submission(platform: Platform, modal: Modal) -> Json:
    return {
        "type": "view_submission",
        **_actor(platform, platform.workspace.member(modal.user)),
        "trigger_id": platform.new_trigger(modal.user, view=modal.id),
        "view": view_json(platform, modal),
        "response_urls": [],
    }


def for_view_closed(platform: Platform, modal: Modal, *, is_cleared: bool) -> Json:
    return {
        "type": "view_closed",
        **_actor(platform, platform.workspace.member(modal.user)),
        "view": view_json(platform, modal),
        "is_cleared": is_cleared,
    }


def view_json(platform: Platform, kept: KeptView) -> Json:
    """A Home has what only modals need as well, empty; the platform gives it a title of its own."""
    workspace, given = platform.workspace, kept.view
    previous, root = (kept.previous, kept.root) if isinstance(kept, Modal) else ("", kept.id)
    return {
        "id": kept.id,
        "team_id": workspace.team_id,
        "type": given["type"],
        "blocks": list(kept.blocks),
        "private_metadata": given.get("private_metadata", ""),
        "callback_id": given.get("callback_id", ""),
        "state": {"values": elements.values(kept.offering, kept.values)},
        "hash": kept.hash,
        "title": given.get("title", HOME_TITLE),
        "clear_on_close": given.get("clear_on_close", False),
        "notify_on_close": given.get("notify_on_close", False),
        "close": given.get("close"),
        "submit": given.get("submit"),
        "previous_view_id": previous or None,
        "root_view_id": root,
        "app_id": workspace.app.id,
        "external_id": given.get("external_id", ""),
        "app_installed_team_id": workspace.team_id,
        "bot_id": workspace.app.bot_id,
    }


def _actor(platform: Platform, member: Member) -> Json:
    """Who did it: a person of another workspace comes with the ids of theirs."""
    workspace = platform.workspace
    team, enterprise = workspace.team_of(member), workspace.enterprise_of(member)
    organization = {"enterprise_id": enterprise} if enterprise else {}
    return {
        "team": {"id": team, "domain": workspace.domain, **organization},
        "user": {"id": member.id, "username": member.name, "name": member.name, "team_id": team},
        "api_app_id": workspace.app.id,
        "token": workspace.app.verification_token,
        "enterprise": {"id": enterprise, "name": workspace.name} if enterprise else None,
        "is_enterprise_install": False,
    }


def _chosen_so_far(at: Scene, message: Message) -> dict[Place, Filled]:
    """What the person chose in the message while it looked like this, else what the app had chosen."""
    chosen = at.platform.choices.get((at.member.id, message.channel, message.ts), {})
    shown: dict[Place, Filled] = {}
    for block in message.blocks:
        for element in filter(elements.is_filled, elements.within(block)):
            place = block["block_id"], element["action_id"]
            kept = place in chosen and elements.still_fits(element, chosen[place])
            shown[place] = chosen[place] if kept else elements.initial(element)
    return shown


def message_json(platform: Platform, message: Message) -> Json:
    """A message as the Web API and payloads show it."""
    shown: Json = {"type": "message", "user": message.author, "ts": message.ts, "text": message.text}
    app = platform.workspace.app
    if message.from_app:
        shown |= {"bot_id": app.bot_id, "app_id": app.id, "team": platform.workspace.team_id}
    if message.blocks:
        shown["blocks"] = list(message.blocks)
    if message.metadata:
        shown["metadata"] = message.metadata
    shown |= _thread_json(platform, message)
    if message.author == SYSTEM:
        shown["subtype"] = "tombstone"
    if shared := [file for name in message.files if (file := platform.workspace.find_file(name))]:
        shown["files"] = [file_json(platform, file) for file in shared]
    if message.edited:
        shown["edited"] = {"user": message.author, "ts": message.edited}
    return shown


def _thread_json(platform: Platform, message: Message) -> Json:
    workspace = platform.workspace
    if message.thread_ts:
        parent = workspace.find_message(message.channel, message.thread_ts)
        shown: Json = {"thread_ts": message.thread_ts}
        if parent is not None:
            shown["parent_user_id"] = parent.author
        return shown | ({"subtype": "thread_broadcast"} if message.broadcast else {})
    replies = [reply for reply in workspace.replies(message.channel, message.ts) if not reply.ephemeral_to]
    if not replies:
        return {}
    authors = list(dict.fromkeys(reply.author for reply in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(authors),
        "latest_reply": replies[-1].ts,
        "reply_users": authors,
        "is_locked": False,
        "subscribed": False,
    }


def file_json(platform: Platform, file: File) -> Json:
    """What kind of file it is, is known only once it was processed."""
    guessed = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    mime = files.MIME.get(file.kind, guessed) if platform.is_processed(file) else ""
    address = f"{platform.base_url}/files-pri/{platform.workspace.team_id}-{file.id}/{quote(file.name, safe='')}"
    created = int(file.completed_at.timestamp())
    return {
        "id": file.id,
        "created": created,
        "timestamp": created,
        "name": file.name,
        "title": file.title,
        "mimetype": mime,
        "filetype": (file.kind or "binary") if mime else "",
        "user": file.owner,
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "url_private": address,
        "permalink": address.replace("/files-pri/", "/files/"),
        "alt_txt": file.alt_text,
        **_shared_in(platform, file),
    }


def _shared_in(platform: Platform, file: File) -> Json:
    """The channels where a message brought it, by their kinds; a picture in a block is not shared by that."""
    workspace = platform.workspace
    bot = workspace.app.bot_user
    places = [c for c in workspace.channels_of(bot) if any(file.id in m.files for m in workspace.messages(c.id, bot))]
    public = [place.id for place in places if not (place.is_im or place.is_private)]
    return {
        "is_public": bool(public),
        "channels": public,
        "groups": [place.id for place in places if place.is_private],
        "ims": [place.id for place in places if place.is_im],
    }


def channel_name(place: Channel) -> str:
    if place.is_im:
        return "directmessage"
    return "privategroup" if place.is_private else place.name


def find_element(message: Message, action_id: str, block_id: str = "") -> tuple[str, Json]:
    """The block and the element that a click is about."""
    for block in message.blocks:
        for element in elements.within(block):
            if element.get("action_id") == action_id and block_id in ("", block["block_id"]):
                return block["block_id"], element
    raise LookupError(f"that message has no {action_id!r}")


def chosen(platform: Platform, element: Json, value: object) -> Json:
    """What a click on the element, or the choice of `value` in it, says to the app."""
    kind = str(element["type"])
    if kind == "button":
        return {key: element[key] for key in ("type", "text", "value", "style") if key in element}
    if kind == "overflow":
        options = [option for option in element["options"] if option["value"] == value]
        if not options:
            raise LookupError(f"{value!r} is not among the options")
        return {"type": kind, "selected_option": options[0]}
    return elements.state(element, elements.taken(element, value, people=platform.people()))


def typed_text(platform: Platform, text: str, *, named: bool = False) -> str:
    """What a person typed, as the platform keeps it: three entities, and mentions as ids."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    people = {member.name: member.id for member in platform.workspace.members}
    rooms = {channel.name: channel.id for channel in platform.workspace.channels if not channel.is_im}

    def person(found: re.Match[str]) -> str:
        return _mention(found[1], people, named=named) or found[0]

    def room(found: re.Match[str]) -> str:
        return f"<#{rooms[found[1]]}|{found[1]}>" if found[1] in rooms else found[0]

    return re.sub(r"(?<!\S)#([\w-]+)", room, re.sub(r"(?<!\S)@([\w.-]+)", person, escaped))


def _mention(typed: str, people: Mapping[str, str], *, named: bool) -> str:
    """A name at the end of a sentence is followed by a full stop that is not part of it."""
    name = typed if typed in people else typed.rstrip(".")
    if name not in people:
        return ""
    return f"<@{people[name]}{'|' + name if named else ''}>{typed[len(name) :]}"
