"""What people write to the bot in its own conversation with them: answered there, as `/tokens` would answer it."""

from __future__ import annotations

import logging
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from handlers.slack.interactions import Modal
from handlers.slack.users import quick
from policy.reasons import Refusal
from templates import render

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from handlers.slack.commands import Commands
    from handlers.slack.listeners import Listeners
    from programme.app import App
    from templates.render import Message

logger = logging.getLogger(__name__)

SAID = (None, "file_share", "thread_broadcast")
"""Subtypes of what someone says; the others tell of what became of it, and of people who come and go."""
LONGEST_VALUE = 100
TRIES_AGAIN = 2
_ADDRESS = re.compile(r"\s*(?:<@[A-Z0-9]+(?:\|[^>]*)?>[\s:,]*)?(?:[`*_'\"]*/?tokens\b[\s:,]*)?", re.IGNORECASE)
"""People name the bot, or the command, also where there is no one else."""


def is_from_a_person(event: dict[str, Any]) -> bool:
    """Whether a person said it just now: bots answer no bots, themselves least of all, and no one twice."""
    is_new = event.get("subtype") in SAID and not event.get("hidden") and "edited" not in event
    by_bot = event.get("bot_id") or event.get("bot_profile") or event.get("app_id")
    is_told = all(isinstance(event.get(name), str) for name in ("user", "channel", "ts"))
    return event.get("channel_type") == "im" and is_new and not by_bot and is_told


def heard(event: dict[str, Any], body: dict[str, Any], client: WebClient, *, app: App, commands: Commands) -> None:
    """The listener for messages: each is answered once, however often Slack tells of it."""
    if not is_from_a_person(event):
        return
    told = str(body.get("event_id") or f"{event['channel']}:{event['ts']}")
    try:
        with app.once(told).transaction():
            pass
    except Refusal:
        return
    said = _answer(app, commands, event, client, once=f"{told}:done")
    slack = quick(client)
    # Someone who writes fast meets Slack's limit for a conversation, and has no other way to see the answer.
    slack.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=TRIES_AGAIN))
    try:
        slack.chat_postMessage(
            channel=event["channel"],
            text=said.text,
            blocks=said.blocks,
            thread_ts=event.get("thread_ts"),
            unfurl_links=False,
            unfurl_media=False,
        )
    except (SlackApiError, SlackClientError, OSError) as error:
        logger.warning("an answer did not reach its reader: %s", type(error).__name__)


def _answer(app: App, commands: Commands, event: dict[str, Any], client: WebClient, *, once: str) -> Message:
    words = _ADDRESS.sub("", str(event.get("text") or ""), count=1)
    command, arguments = commands.parse(words)
    if command.button:
        # Slack opens forms only for a click.
        return render.message("commands/form", command=command, value=arguments[:LONGEST_VALUE])
    said = commands.answer(app, text=words, slack_user_id=event["user"], client=client, once=once)
    assert not isinstance(said, Modal)  # noqa: S101 - commands with forms have a button
    return said


def register(listeners: Listeners, app: App, commands: Commands) -> None:
    listeners.on_event("message", partial(heard, app=app, commands=commands))
