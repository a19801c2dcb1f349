"""What people see in the workspace, once the bot has written it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from tests.support import slack

if TYPE_CHECKING:
    from sandbox import Sandbox
    from sandbox.model import Home, Message, View

WAIT_SECONDS = 30.0


def read(seen: Message | Home | View) -> str:
    """All that a person reads of it."""
    return json.dumps([getattr(seen, "text", ""), seen.blocks], ensure_ascii=False)


def card(sandbox: Sandbox, saying: str = "") -> Message:
    """The newest card in the board's channel that says something, once there is one."""

    def found() -> Message | None:
        said = [one for one in sandbox.messages(slack.BOARD, slack.IRIS) if not one.ephemeral_to]
        return said[-1] if said and saying in read(said[-1]) else None

    return sandbox.wait_for(found, seconds=WAIT_SECONDS)


def told(sandbox: Sandbox, user: str, saying: str) -> Message:
    """What the bot wrote to someone, once it did."""

    def found() -> Message | None:
        return next((m for m in reversed(sandbox.messages(sandbox.dm(user), user)) if saying in read(m)), None)

    return sandbox.wait_for(found, seconds=WAIT_SECONDS)


def private(sandbox: Sandbox, user: str, saying: str, channel: str = slack.BOARD) -> Message:
    """The newest answer in a channel that only this person can see, once it says something."""

    def found() -> Message | None:
        said = [one for one in sandbox.messages(channel, user) if one.ephemeral_to == user]
        return said[-1] if said and saying in read(said[-1]) else None

    return sandbox.wait_for(found, seconds=WAIT_SECONDS)


def modal(sandbox: Sandbox, user: str) -> str:
    """What the modal in front of someone says."""
    view = sandbox.modal(user)
    assert view is not None
    return read(view)


def keys_in(sandbox: Sandbox, channel: str, reader: str) -> Counter[str]:
    """How often each message is there, by the key that it carries."""
    shown = sandbox.messages(channel, reader)
    return Counter(message.metadata["event_payload"]["key"] for message in shown if message.metadata)
