"""The things a workspace consists of, as frozen records."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]
Clock = Callable[[], datetime]
Filled = str | tuple[str, ...] | None
"""What is in an element of a form: text, a date or the name of a choice; several names; or nothing."""

SYSTEM = "USYSTEM"
"""The author of what the workspace itself says, such as that a command failed."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """A person or a bot; `team_id` and `enterprise_id` are given for those of another workspace."""

    id: str
    name: str
    real_name: str
    email: str = ""
    tz: str = "UTC"
    title: str = ""
    colour: str = ""
    is_bot: bool = False
    deleted: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_email_confirmed: bool = True
    is_admin: bool = False
    team_id: str = ""
    enterprise_id: str = ""

    @property
    def initials(self) -> str:
        words = self.real_name.split() or [self.name]
        return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper()


@dataclass(frozen=True, kw_only=True)
class Channel:
    id: str
    name: str
    members: frozenset[str] = frozenset()
    purpose: str = ""
    is_private: bool = False
    is_archived: bool = False
    is_ext_shared: bool = False
    is_im: bool = False

    def open_to(self, reader: str) -> bool:
        """Public channels are open to everyone; the others only to their members."""
        return reader in self.members or not (self.is_private or self.is_im)

    def counterpart(self, reader: str) -> str:
        """The other person of a direct conversation (oneself, in a conversation with oneself)."""
        return next((member for member in sorted(self.members) if member != reader), reader)


@dataclass(frozen=True, kw_only=True)
class UserGroup:
    id: str
    handle: str
    name: str
    members: tuple[str, ...] = ()
    date_update: int = 0


@dataclass(frozen=True, kw_only=True)
class SlashCommand:
    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = False


@dataclass(frozen=True, kw_only=True)
class InstalledApp:
    """The one app of the workspace. With a `request_url` it is spoken to by signed HTTP, else by Socket Mode.

    `events` are the names of those that it subscribed to. Without a `home_tab` it can publish nothing there, without
    a `messages_tab` it can write to no one in private. `refused_as` is the code with which every call is refused.
    """

    id: str
    name: str
    bot_user: str
    bot_id: str
    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)
    signing_secret: str = field(repr=False)
    verification_token: str = field(repr=False)
    description: str = ""
    scopes: frozenset[str] = frozenset()
    commands: tuple[SlashCommand, ...] = ()
    events: frozenset[str] = frozenset()
    request_url: str = ""
    home_tab: bool = True
    messages_tab: bool = True
    revoked: bool = False
    refused_as: str = ""


@dataclass(frozen=True, kw_only=True)
class Message:
    """`prompt` is the command that an answer belongs to; the page shows it above the answer. `files` are ids.

    `thread_ts` names the message that this one replies to; a reply that is `broadcast` is in the channel as well.
    """

    channel: str
    ts: str
    author: str
    text: str = ""
    blocks: tuple[Json, ...] = ()
    metadata: Json | None = None
    edited: str = ""
    thread_ts: str = ""
    broadcast: bool = False
    ephemeral_to: str = ""
    from_app: bool = False
    prompt: str = ""
    files: tuple[str, ...] = ()

    def visible_to(self, reader: str) -> bool:
        return self.ephemeral_to in ("", reader)

    @property
    def in_main_flow(self) -> bool:
        return not self.thread_ts or self.broadcast


@dataclass(frozen=True, kw_only=True)
class View:
    """A modal as a person sees it: what they filled in and what they are told, both by block_id.

    A block with several things to fill in has an entry for each, under `block_id/action_id`. `notice` is what stands
    in the modal when the app failed.
    """

    id: str
    callback_id: str
    title: str
    blocks: tuple[Json, ...]
    values: dict[str, Filled]
    errors: dict[str, str]
    notice: str
    hash: str
    private_metadata: str
    submit: str
    close: str


@dataclass(frozen=True, kw_only=True)
class Home:
    """What the app published for a person; `values` are what they filled in, named as those of a `View`."""

    id: str
    callback_id: str
    blocks: tuple[Json, ...]
    values: dict[str, Filled]
    hash: str
    private_metadata: str


@dataclass(frozen=True, kw_only=True)
class File:
    """A file whose upload was completed. `kind` is that of a picture that can be shown, or nothing."""

    id: str
    name: str
    title: str
    size: int
    owner: str
    completed_at: datetime
    alt_text: str = ""
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Control:
    """A button of the page's calendar; `name` is what the starter of the workspace is told."""

    name: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a person gets for a command, a click or a message: the new messages, and why it failed if it did."""

    messages: tuple[Message, ...] = ()
    error: str = ""
    options: tuple[Json, ...] = ()
    """What a search brought."""

    @property
    def message(self) -> Message:
        """The one that counts: the last."""
        if not self.messages:
            raise LookupError("the app acknowledged and said nothing")
        return self.messages[-1]

    @property
    def text(self) -> str:
        return self.message.text

    @property
    def blocks(self) -> tuple[Json, ...]:
        return self.message.blocks


@dataclass(frozen=True, kw_only=True)
class ApiCall:
    """One call of the Web API as the app made it, its token left out."""

    method: str
    args: Json
    status: int
    response: Json
    at: datetime

    @property
    def error(self) -> str:
        return str(self.response.get("error", ""))
