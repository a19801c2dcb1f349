"""What the page in the browser asks for, and does, in a person's name."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict

from sandbox import delivery, files, home_delivery, message_events, modal_delivery, payloads, suggestions
from sandbox.controls import Controls
from sandbox.model import SYSTEM, Answer, Channel, Json, Member, Message
from sandbox.platform_state import Platform
from sandbox.views import KeptView
from sandbox.workspace import Workspace, WorkspaceError

SHOWN_AT_MOST = 300
BREATH = 15.0


class Feed:
    """Tells open pages that something changed; each then asks for what its reader may see."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pages: dict[asyncio.Queue[str | None], str] = {}

    def changed(self, channel_id: str) -> None:
        """May be called from any thread."""
        self._soon(self._tell, channel_id)

    def controls_changed(self, controls: Json) -> None:
        """May be called from any thread."""
        self._soon(self._tell_all, _event("controls", controls))

    def close(self) -> None:
        for queue in self._pages:
            queue.put_nowait(None)

    async def stream(self, reader: str) -> AsyncIterator[str]:
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._pages[queue] = reader
        try:
            yield _event("ready", {})
            while True:
                try:
                    changed = await asyncio.wait_for(queue.get(), BREATH)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if changed is None:
                    return
                yield changed
        finally:
            del self._pages[queue]

    def _soon(self, tell: Callable[[str], None], what: str) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(tell, what)

    def _tell(self, channel_id: str) -> None:
        channel = self._workspace.find_channel(channel_id)
        for queue, reader in self._pages.items():
            if channel is None or channel.open_to(reader):
                queue.put_nowait(_event("changed", {"channel": channel_id}))

    def _tell_all(self, event: str) -> None:
        for queue in self._pages:
            queue.put_nowait(event)


def _event(name: str, data: Json) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def state(platform: Platform, controls: Controls, reader: str) -> Json:
    """All that the reader may see, and nothing else."""
    workspace = platform.workspace
    workspace.member(reader)
    app_dm = workspace.open_dm(workspace.app.bot_user, reader)
    channels = sorted(workspace.channels_of(reader), key=lambda channel: (channel.is_im, channel.name))
    return {
        "workspace": {"name": workspace.name, "welcome": workspace.welcome, "hints": list(workspace.hints)},
        "me": reader,
        "app": {
            "name": workspace.app.name,
            "user": workspace.app.bot_user,
            "description": workspace.app.description,
            "dm": app_dm.id,
            "commands": [asdict(command) for command in workspace.app.commands],
            "deadline": platform.deadline,
        },
        "members": [_member(member) for member in workspace.members],
        "groups": [{"id": group.id, "handle": group.handle} for group in workspace.user_groups],
        "channels": [_channel(platform, channel, reader) for channel in channels],
        "modal": modal_json(platform, reader),
        "home": home_json(platform, reader),
        **controls.state(),
    }


def _member(member: Member) -> Json:
    shown = asdict(member)
    del shown["email"]
    return shown | {"initials": member.initials}


def _channel(platform: Platform, channel: Channel, reader: str) -> Json:
    messages = platform.workspace.main_flow(channel.id, reader)[-SHOWN_AT_MOST:]
    return {
        "id": channel.id,
        "name": channel.name,
        "purpose": channel.purpose,
        "is_im": channel.is_im,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_member": reader in channel.members,
        "with": channel.counterpart(reader) if channel.is_im else "",
        "members": sorted(channel.members),
        "messages": [message_json(platform, message) for message in messages],
        "threads": {
            message.ts: [message_json(platform, reply) for reply in replies]
            for message in messages
            if (replies := thread(platform, channel.id, message.ts, reader))
        },
    }


def thread(platform: Platform, channel: str, ts: str, reader: str) -> tuple[Message, ...]:
    """The replies that the reader may see."""
    return tuple(reply for reply in platform.workspace.replies(channel, ts) if reply.visible_to(reader))


def modal_json(platform: Platform, reader: str) -> Json | None:
    """The view on top of the person's modal, with what is filled in by block_id and action_id."""
    stack = platform.modals.stack(reader)
    if not stack:
        return None
    modal, seen = stack[-1], stack[-1].as_seen()
    shown = {key: getattr(seen, key) for key in ("id", "hash", "title", "errors", "notice", "submit", "close")}
    more = {"values": _values(modal), "depth": len(stack), "answered": modal.answered}
    return shown | {"blocks": files.as_drawn(modal.offering)} | more


def home_json(platform: Platform, reader: str) -> Json | None:
    """What the app published for the reader; nothing if the app has no Home tab."""
    if not platform.workspace.app.home_tab:
        return None
    kept = platform.homes.of(reader)
    if kept is None:
        return {"id": "", "hash": "", "blocks": [], "values": {}}
    return {"id": kept.id, "hash": kept.hash, "blocks": files.as_drawn(kept.blocks), "values": _values(kept)}


def _values(kept: KeptView) -> Json:
    values: Json = {}
    for (block_id, action_id), filled in kept.values.items():
        values.setdefault(block_id, {})[action_id] = filled
    return values


def message_json(platform: Platform, message: Message) -> Json:
    shown = asdict(message)
    del shown["metadata"]
    shared = [file for name in message.files if (file := platform.workspace.find_file(name))]
    return shown | {
        "system": message.author == SYSTEM,
        "blocks": files.as_drawn(message.blocks),
        "files": [
            {"id": file.id, "name": file.name, "title": file.title, "alt_text": file.alt_text, "kind": file.kind}
            for file in shared
        ],
    }


async def send(platform: Platform, *, user: str, channel: str, text: str, thread_ts: str = "") -> Answer:
    """A slash command is answered before this returns; anything else is a message to the channel, or the thread."""
    member, place = platform.workspace.member(user), platform.workspace.channel(channel)
    if member.deleted or member.is_bot or not place.open_to(user):
        raise WorkspaceError(f"{member.real_name} cannot write there")
    if not text.strip():
        raise WorkspaceError("there is nothing to send")
    if text.lstrip().startswith("/") and thread_ts:
        raise WorkspaceError("commands do not work in threads")
    if text.lstrip().startswith("/"):
        return await delivery.run_command(platform, user=user, channel=channel, line=text)
    if place.is_archived or user not in place.members:
        raise WorkspaceError(f"{member.real_name} is not in #{place.name}")
    parent = platform.workspace.find_message(channel, thread_ts)
    if thread_ts and (parent is None or parent.thread_ts or parent.ephemeral_to):
        raise WorkspaceError("there is no such thread")
    typed = payloads.typed_text(platform, text)
    draft = Message(channel=channel, ts="", author=user, text=typed, thread_ts=thread_ts)
    message = platform.workspace.post(draft, now=platform.clock())
    await message_events.said(platform, message)
    return Answer(messages=(message,))


async def edit(platform: Platform, *, user: str, message: Message, text: str) -> Message:
    """A person changes what they wrote."""
    if message.author != user:
        raise WorkspaceError("only their own messages can be edited")
    typed = payloads.typed_text(platform, text)
    changed = platform.workspace.amend(message, now=platform.clock(), text=typed)
    await message_events.changed(platform, message, changed)
    return changed


async def press(platform: Platform, *, user: str, order: Json, shown: Message | None = None) -> Answer:
    """A click on what a message shows, or showed on a person's screen."""
    _require_app(platform)
    message = platform.workspace.find_message(str(order["channel"]), str(order["ts"]))
    place = platform.workspace.find_channel(str(order["channel"]))
    if message is None or place is None or not (message.visible_to(user) and place.open_to(user)):
        raise WorkspaceError("there is no such message")
    return await delivery.press(
        platform,
        user=user,
        message=message,
        block_id=str(order.get("block_id", "")),
        action_id=str(order["action_id"]),
        value=order.get("value", ""),
        shown=shown or message,
    )


async def in_modal(platform: Platform, *, user: str, order: Json) -> Answer:
    """What a person did in the modal that they see: `values` is all that is filled in, by block_id and action_id."""
    _require_app(platform)
    modal, doing = platform.modals.top(user), order["do"]
    if modal is None or modal.id != order.get("view"):
        if doing in ("keep", "search"):
            return Answer()
        raise LookupError("that view is not the one on top")
    if doing == "search":
        place = {key: str(order[key]) for key in ("block_id", "action_id")}
        return await suggestions.search(platform, modal=modal, **place, typed=str(order.get("value", "")))
    modal_delivery.keep(platform, modal, order.get("values", {}))
    if doing == "submit":
        return await modal_delivery.submit(platform, user=user)
    if doing == "dismiss":
        return await modal_delivery.dismiss(platform, user=user)
    if doing == "act":
        block_id, action_id, value = str(order["block_id"]), str(order["action_id"]), order.get("value", "")
        return await modal_delivery.act(platform, modal=modal, block_id=block_id, action_id=action_id, value=value)
    if doing == "keep":
        return Answer()
    raise WorkspaceError(f"a modal can't be told to {doing!r}")


async def search(platform: Platform, *, user: str, block_id: str, typed: str) -> Answer:
    """A search in the modal that the person sees, in the one menu of a block."""
    modal = platform.modals.top(user)
    if modal is None or block_id not in modal.named():
        raise LookupError(f"no modal is open that has a block {block_id!r}")
    action_id = modal.named()[block_id][1]["action_id"]
    return await suggestions.search(platform, modal=modal, block_id=block_id, action_id=action_id, typed=typed)


async def on_home(platform: Platform, *, user: str, order: Json) -> Answer:
    """What a person did on the app's Home tab, or that they opened a `tab` of it."""
    doing, view_id = order["do"], str(order["home"])
    if doing == "open":
        await home_delivery.enter(platform, user=user, tab=str(order.get("tab", "home")))
        return Answer()
    _require_app(platform)
    if doing == "keep":
        home_delivery.keep(platform, user=user, view_id=view_id, filled=order.get("values", {}))
        return Answer()
    if doing == "act":
        name, block_id, value = str(order["name"]), str(order.get("block_id", "")), order.get("value", "")
        return await home_delivery.act(platform, user=user, view_id=view_id, block_id=block_id, name=name, value=value)
    raise WorkspaceError(f"a Home can't be told to {doing!r}")


def _require_app(platform: Platform) -> None:
    """A click is for what the screen showed when it was made, so it is refused rather than kept."""
    if platform.hold.why:
        raise WorkspaceError(platform.hold.why)
