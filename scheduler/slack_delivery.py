"""What a courier asks of Slack: whom a person is, has a message arrived, take this message, take this picture."""

from __future__ import annotations

import urllib.request
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from programme.people import slack_accounts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from programme.people.slack_accounts import OwnTeam, SlackAccount
    from scheduler.messages import Composed
    from templates.charts import Picture

EVENT_TYPE = "tokens_message"
PATIENCE_SECONDS = 10
A_PAGE = 200
USERS = ("U", "W")
"""How the ids of people begin: a message may go to an account that is nobody's any more."""
SKEW = timedelta(days=1)
"""Slack's clock tells when a message was posted, ours when it was owed."""


def client(token: str | None, api_url: str) -> WebClient:
    """A client that tries once: after a retry of its own no one could say whether a message went out twice."""
    return WebClient(token=token, base_url=api_url, timeout=PATIENCE_SECONDS, retry_handlers=[])


def account_of(slack: WebClient, email: str, own_team: OwnTeam, now: datetime) -> SlackAccount | None:
    """The account with an e-mail, compared with the bot's own workspace; None where Slack knows of none."""
    try:
        user: Mapping[str, Any] = slack.users_lookupByEmail(email=email)["user"]
    except SlackApiError as error:
        if error.response["error"] == "users_not_found":
            return None
        raise
    is_ours = own_team.includes(slack_accounts.home_of(user), slack.auth_test, now)
    return replace(slack_accounts.account_of(user, is_ours=is_ours), email=email)


def find(
    slack: WebClient, key: str, *, channel: str | None, user: str | None, since: datetime, thread: str = ""
) -> tuple[str, str] | None:
    """(channel, ts) of the message with a key in its metadata, if it arrived; a reply is looked for in its thread."""
    if channel is not None and channel.startswith(USERS):
        user, channel = channel, None
    place = channel or str(slack.conversations_open(users=user)["channel"]["id"])
    oldest = f"{(since - SKEW).timestamp():.6f}"
    cursor = ""
    while True:
        if thread:
            page = slack.conversations_replies(
                channel=place, ts=thread, oldest=oldest, include_all_metadata=True, limit=A_PAGE, cursor=cursor or None
            )
        else:
            page = slack.conversations_history(
                channel=place, oldest=oldest, include_all_metadata=True, limit=A_PAGE, cursor=cursor or None
            )
        for message in page["messages"]:
            if message.get("metadata", {}).get("event_payload", {}).get("key") == key:
                return place, str(message["ts"])
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return None


def upload(slack: WebClient, picture: Picture) -> str:
    """The id of an uploaded picture; no one but the app can see it until a message shows it."""
    granted = slack.files_getUploadURLExternal(
        filename=picture.filename, length=len(picture.png), alt_txt=picture.alt_text
    )
    request = urllib.request.Request(  # noqa: S310 - Slack's own address
        str(granted["upload_url"]), data=picture.png, headers={"Content-Type": "application/octet-stream"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS):  # noqa: S310 - the same
        pass
    file_id = str(granted["file_id"])
    slack.files_completeUploadExternal(files=[{"id": file_id, "title": picture.alt_text[:100]}])
    return file_id


def post(
    slack: WebClient, key: str, composed: Composed, *, to: str, file_id: str | None, thread: str = ""
) -> tuple[str, str]:
    """(channel, ts) of the posted message, which carries its key; a reply goes into a thread."""
    blocks: list[dict[str, Any]] = list(composed.message.blocks)
    if file_id is not None and composed.picture is not None:
        picture = {"type": "image", "slack_file": {"id": file_id}, "alt_text": composed.picture.alt_text}
        # Below the first block, which says what the message is about.
        blocks.insert(1, picture)
    answer = slack.chat_postMessage(
        channel=to,
        text=composed.message.text,
        blocks=blocks,
        unfurl_links=False,
        unfurl_media=False,
        thread_ts=thread or None,
        metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
    )
    return str(answer["channel"]), str(answer["ts"])


def update(slack: WebClient, composed: Composed, *, channel: str, ts: str) -> None:
    """Give a message that was posted a new face; it goes on carrying the key under which it was posted."""
    slack.chat_update(channel=channel, ts=ts, text=composed.message.text, blocks=composed.message.blocks)
