"""The state of a workspace: people, channels, messages, the installed app. Safe to use from any thread.

It is described by a dictionary (or a JSON file) of this shape; everything but `members` may be left out:

    {
      "name": "Northwind", "team_id": "T0NORTH", "enterprise_id": "", "domain": "northwind", "paid_plan": true,
      "welcome": "A sentence or two for the newcomer.",
      "hints": ["/tokens balance", {"command": "/tokens statement", "label": "Every line", "as": "U0ADA"}],
      "app": {"name": "Tokens", "description": "…", "bot_user": "U0BOT", "bot_id": "B0BOT", "id": "A0TOKENS",
              "bot_token": "xoxb-…", "app_token": "xapp-…", "signing_secret": "…", "verification_token": "…",
              "scopes": ["commands", "chat:write", "users:read"], "request_url": "",
              "events": ["subteam_members_changed", "subteam_updated", "app_home_opened"], "home_tab": true,
              "commands": [{"command": "/tokens", "description": "…", "usage_hint": "balance | help",
                            "should_escape": true}]},
      "members": [{"id": "U0ADA", "name": "ada", "real_name": "Ada Lovelace", "email": "ada@northwind.example",
                   "tz": "Europe/London", "title": "Staff engineer", "colour": "#3b6ea8",
                   "is_bot": false, "deleted": false, "is_restricted": false, "is_ultra_restricted": false,
                   "is_stranger": false, "is_email_confirmed": true, "is_admin": false,
                   "team_id": "", "enterprise_id": ""}],
      "channels": [{"id": "C0GENERAL", "name": "general", "members": ["U0ADA"], "purpose": "…",
                    "is_private": false, "is_archived": false, "is_ext_shared": false}],
      "user_groups": [{"id": "S0BOARD", "handle": "board", "name": "Governance board", "members": ["U0ADA"]}]
    }

People of another workspace, who share a channel with this one or are in the same organization, have the `team_id` and
`enterprise_id` of theirs. The app's bot user becomes a member by itself. Tokens and secrets that are left out are
derived from `team_id`.
"""

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from sandbox import blueprint
from sandbox.blueprint import WorkspaceError
from sandbox.history import History
from sandbox.model import SYSTEM, Channel, File, InstalledApp, Json, Member, Message, UserGroup

__all__ = ["Workspace", "WorkspaceError"]

Watcher = Callable[[str], None]
DELETED = "This message was deleted."


class Workspace:
    def __init__(self, plan: blueprint.Blueprint, *, history: History | None = None) -> None:
        self.name, self.team_id, self.domain = plan.name, plan.team_id, plan.domain
        self.enterprise_id = plan.enterprise_id
        self.paid_plan, self.welcome, self.hints = plan.paid_plan, plan.welcome, plan.hints
        self._app = plan.app
        self._members = {member.id: member for member in plan.members}
        self._channels = {channel.id: channel for channel in plan.channels}
        self._groups = {group.id: group for group in plan.user_groups}
        self._messages: dict[str, dict[str, Message]] = {}
        self._files: dict[str, tuple[File, bytes]] = {}
        self._last_microsecond = 0
        self._lock = threading.RLock()
        self._watchers: list[Watcher] = []
        self._history = history
        if history is not None:
            self._recall(history)

    @classmethod
    def from_dict(cls, plan: Json, *, history: Path | None = None) -> Self:
        """The workspace that `plan` describes; with `history`, also what was said in earlier runs."""
        return cls(blueprint.read(plan), history=History(history) if history else None)

    @classmethod
    def load(cls, path: Path, *, history: Path | None = None) -> Self:
        return cls.from_dict(json.loads(path.read_text(encoding="utf-8")), history=history)

    # People, channels, groups, the app

    @property
    def app(self) -> InstalledApp:
        return self._app

    @property
    def members(self) -> tuple[Member, ...]:
        with self._lock:
            return tuple(self._members.values())

    @property
    def channels(self) -> tuple[Channel, ...]:
        with self._lock:
            return tuple(self._channels.values())

    @property
    def user_groups(self) -> tuple[UserGroup, ...]:
        with self._lock:
            return tuple(self._groups.values())

    def find_member(self, member_id: str) -> Member | None:
        return self._members.get(member_id)

    def find_channel(self, channel_id: str) -> Channel | None:
        return self._channels.get(channel_id)

    def member(self, member_id: str) -> Member:
        if (member := self._members.get(member_id)) is None:
            raise WorkspaceError(f"there is no member {member_id!r}")
        return member

    def channel(self, channel_id: str) -> Channel:
        if (channel := self._channels.get(channel_id)) is None:
            raise WorkspaceError(f"there is no channel {channel_id!r}")
        return channel

    def team_of(self, member: Member) -> str:
        return member.team_id or self.team_id

    def enterprise_of(self, member: Member) -> str:
        """The organization of several workspaces that a person belongs to, if any."""
        return member.enterprise_id or ("" if member.team_id else self.enterprise_id)

    def join_enterprise(self, enterprise_id: str) -> None:
        """The workspace becomes part of an organization; its people stay."""
        self.enterprise_id = enterprise_id

    def channels_of(self, reader: str) -> tuple[Channel, ...]:
        """Public ones, and those that the reader belongs to."""
        return tuple(channel for channel in self.channels if channel.open_to(reader))

    def open_dm(self, one: str, other: str) -> Channel:
        """The direct conversation of two people: always the same id, also after a restart."""
        pair = frozenset((self.member(one).id, self.member(other).id))
        digest = hashlib.sha256("/".join((self.team_id, *sorted(pair))).encode()).hexdigest()
        channel_id = f"D{digest[:10].upper()}"
        with self._lock:
            if channel_id not in self._channels:
                self._channels[channel_id] = Channel(id=channel_id, name="", members=pair, is_im=True)
                if self._history is not None:
                    self._history.keep_dm(channel_id, pair)
            return self._channels[channel_id]

    def change_member(self, member_id: str, **changes: Any) -> None:  # noqa: ANN401 - fields of any type
        with self._lock:
            self._members[member_id] = replace(self.member(member_id), **changes)
        self._tell("")

    def change_group(self, group_id: str, **changes: Any) -> UserGroup:  # noqa: ANN401 - fields of any type
        with self._lock:
            if (group := self._groups.get(group_id)) is None:
                raise WorkspaceError(f"there is no user group {group_id!r}")
            changed = self._groups[group_id] = replace(group, **changes)
        self._tell("")
        return changed

    def change_channel(self, channel_id: str, **changes: Any) -> None:  # noqa: ANN401 - fields of any type
        with self._lock:
            self._channels[channel_id] = replace(self.channel(channel_id), **changes)
        self._tell(channel_id)

    def change_app(self, **changes: Any) -> None:  # noqa: ANN401 - fields of any type
        with self._lock:
            self._app = replace(self._app, **changes)
        self._tell("")

    # Messages

    def post(self, draft: Message, *, now: datetime) -> Message:
        """Adds the message under a new `ts`, which is unique and later than every other."""
        with self._lock:
            message = replace(draft, ts=self._next_ts(now))
            self._messages.setdefault(message.channel, {})[message.ts] = message
            if self._history is not None:
                self._history.keep(message)
        self._tell(message.channel)
        return message

    def find_message(self, channel_id: str, ts: str) -> Message | None:
        with self._lock:
            return self._messages.get(channel_id, {}).get(ts)

    def amend(self, message: Message, *, now: datetime, **changes: Any) -> Message:  # noqa: ANN401 - fields
        with self._lock:
            changed = replace(message, edited=self._next_ts(now), **changes)
            self._messages[message.channel][message.ts] = changed
            if self._history is not None:
                self._history.keep(changed)
        self._tell(message.channel)
        return changed

    def remove(self, message: Message) -> None:
        """Under a thread a tombstone stays behind."""
        with self._lock:
            if any(not reply.ephemeral_to for reply in self.replies(message.channel, message.ts)):
                left = Message(channel=message.channel, ts=message.ts, author=SYSTEM, text=DELETED)
                self._messages[message.channel][message.ts] = left
                if self._history is not None:
                    self._history.keep(left)
            else:
                self._messages.get(message.channel, {}).pop(message.ts, None)
                if self._history is not None:
                    self._history.forget(message)
        self._tell(message.channel)

    def messages(self, channel_id: str, reader: str) -> tuple[Message, ...]:
        """What the reader may see of a channel, oldest first."""
        channel = self.find_channel(channel_id)
        if channel is None or not channel.open_to(reader):
            return ()
        with self._lock:
            everything = tuple(self._messages.get(channel_id, {}).values())
        return tuple(message for message in everything if message.visible_to(reader))

    def main_flow(self, channel_id: str, reader: str) -> tuple[Message, ...]:
        """Without replies, except those that were broadcast."""
        return tuple(message for message in self.messages(channel_id, reader) if message.in_main_flow)

    def replies(self, channel_id: str, ts: str) -> tuple[Message, ...]:
        """Everyone's, ephemeral ones too, oldest first."""
        with self._lock:
            everything = tuple(self._messages.get(channel_id, {}).values())
        return tuple(message for message in everything if message.thread_ts == ts)

    # Files

    def add_file(self, file: File, content: bytes) -> None:
        with self._lock:
            self._files[file.id] = file, content
            if self._history is not None:
                self._history.keep_file(file, content)

    def find_file(self, file_id: str) -> File | None:
        kept = self._files.get(file_id)
        return kept[0] if kept else None

    def file_content(self, file_id: str) -> bytes:
        if (kept := self._files.get(file_id)) is None:
            raise WorkspaceError(f"there is no file {file_id!r}")
        return kept[1]

    # Watching

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Calls `watcher` with the channel's id after each change, in the changing thread; returns the way out."""
        with self._lock:
            self._watchers.append(watcher)

        def stop() -> None:
            with self._lock:
                self._watchers.remove(watcher)

        return stop

    def announce(self) -> None:
        """Something changed that is in no channel."""
        self._tell("")

    def close(self) -> None:
        if self._history is not None:
            self._history.close()

    def _tell(self, channel_id: str) -> None:
        with self._lock:
            watchers = tuple(self._watchers)
        for watcher in watchers:
            watcher(channel_id)

    def _next_ts(self, now: datetime) -> str:
        """A frozen clock must not give two messages the same `ts`."""
        self._last_microsecond = max(round(now.timestamp() * 1_000_000), self._last_microsecond + 1)
        return f"{self._last_microsecond // 1_000_000}.{self._last_microsecond % 1_000_000:06d}"

    def _recall(self, history: History) -> None:
        for record in history.read():
            if "dm" in record:
                members = frozenset(record["members"])
                if members <= self._members.keys():
                    self._channels[record["dm"]] = Channel(id=record["dm"], name="", members=members, is_im=True)
            elif "deleted" in record:
                channel_id, ts = record["deleted"]
                self._messages.get(channel_id, {}).pop(ts, None)
            elif "file" in record:
                if kept := history.recall_file(record["file"]):
                    self._files[kept[0].id] = kept
            elif "message" in record:
                lists = {key: tuple(record["message"].get(key, ())) for key in ("blocks", "files")}
                self._remember(Message(**{**record["message"], **lists}))

    def _remember(self, message: Message) -> None:
        self._messages.setdefault(message.channel, {})[message.ts] = message
        newest = max(message.ts, message.edited)
        self._last_microsecond = max(self._last_microsecond, int(newest.replace(".", "")))
