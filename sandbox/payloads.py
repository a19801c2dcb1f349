"""What the app is sent, field by field as the platform sends it."""

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from sandbox import files
from sandbox.model import Channel, File, Json, Member, Message, SlashCommand
from sandbox.platform_state import Platform


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Who did something, where, and the command if they typed one."""

    platform: Platform
    member: Member
    place: Channel
    line: str = ""


def scene(platform: Platform, *, user: str, channel: str, line: str = "") -> Scene:
    workspace = platform.workspace
    return Scene(platform=platform, member=workspace.member(user), place=workspace.channel(channel), line=line.strip())


def for_command(at: Scene, command: SlashCommand, text: str, response_url: str) -> Json:
    workspace = at.platform.workspace
    return {
        "token": workspace.app.verification_token,
        "team_id": workspace.team_id,
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
        "trigger_id": at.platform.new_trigger(),
    }


def for_action(at: Scene, message: Message, action: Json, response_url: str) -> Json:
    workspace, member = at.platform.workspace, at.member
    return {
        "type": "block_actions",
        "user": {"id": member.id, "username": member.name, "name": member.name, "team_id": workspace.team_id},
        "api_app_id": workspace.app.id,
        "token": workspace.app.verification_token,
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": at.place.id,
            "is_ephemeral": bool(message.ephemeral_to),
        },
        "trigger_id": at.platform.new_trigger(),
        "team": {"id": workspace.team_id, "domain": workspace.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": at.place.id, "name": channel_name(at.place)},
        "message": message_json(at.platform, message),
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [action],
    }


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
    if message.thread_ts:
        shown["thread_ts"] = message.thread_ts
    if shared := [file for name in message.files if (file := platform.workspace.find_file(name))]:
        shown["files"] = [file_json(platform, file) for file in shared]
    if message.edited:
        shown["edited"] = {"user": message.author, "ts": message.edited}
    return shown


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
        for element in (*block.get("elements", ()), block.get("accessory", {})):
            if element.get("action_id") == action_id and block_id in ("", block["block_id"]):
                return block["block_id"], element
    raise LookupError(f"that message has no {action_id!r}")


def chosen(element: Json, value: str) -> Json:
    """What a click on the element, or the choice of `value` in it, says to the app."""
    kind = str(element["type"])
    if kind == "button":
        return {key: element[key] for key in ("type", "text", "value", "style") if key in element}
    if "options" in element or "option_groups" in element:
        groups = element.get("option_groups", [element])
        options = [option for group in groups for option in group["options"] if option["value"] == value]
        if not options:
            raise LookupError(f"{value!r} is not among the options")
        return {"type": kind, "selected_option": options[0]}
    return {"type": kind, f"selected_{kind.removesuffix('picker').removesuffix('s_select')}": value}


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
