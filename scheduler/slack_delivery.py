"""What a courier asks of Slack: whom a person is, has a message arrived, take this message, take this picture."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, TypeVar

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from programme.people import slack_accounts
from scheduler import troubles
from scheduler.troubles import OddAnswerError, PictureNotTakenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from slack_sdk.web import SlackResponse

    from programme.people.slack_accounts import OwnTeam, SlackAccount
    from scheduler.messages import Composed
    from templates.charts import Picture
    from templates.documents import Document

T = TypeVar("T")

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


class NoAnswerError(SlackClientError):
    """What came back is no answer of Slack's: a page, or JSON that is no object."""


def answer_of(call: Callable[..., SlackResponse], **arguments: Any) -> SlackResponse:  # noqa: ANN401 - of any method
    """What Slack answers to a call.

    Raises SlackApiError where Slack refuses with a code, NoAnswerError where what came back is none of its answers, and
    what the network raises.
    """
    try:
        answer = call(**arguments)
    except SlackApiError as error:
        if troubles.said(error) is None and error.response.status_code != troubles.TOO_MANY:
            raise NoAnswerError(f"HTTP status {error.response.status_code}, and no answer of Slack's") from error
        raise
    except (AttributeError, LookupError, RecursionError, ValueError) as error:
        # The library stumbles over a list, a number, bytes in another encoding than they claim, and the like.
        raise NoAnswerError(f"what came back is no answer of Slack's ({type(error).__name__})") from error
    if not isinstance(answer.data, dict):
        raise NoAnswerError("what came back is no JSON")
    return answer


def is_away(slack: WebClient) -> bool:
    """Whether Slack answers nothing at all just now, or refuses the app."""
    try:
        answer_of(slack.auth_test)
    except (SlackClientError, OSError, HTTPException):
        return True
    return False


def account_of(slack: WebClient, email: str, own_team: OwnTeam, now: datetime) -> SlackAccount | None:
    """The account with an e-mail, compared with the bot's own workspace; None where Slack knows of none."""
    try:
        user = _field(answer_of(slack.users_lookupByEmail, email=email), "user", dict)
    except SlackApiError as error:
        if troubles.said(error) == "users_not_found":
            return None
        raise
    is_ours = own_team.includes(slack_accounts.home_of(user), lambda: answer_of(slack.auth_test), now)
    return replace(slack_accounts.account_of(user, is_ours=is_ours), email=email)


def find(
    slack: WebClient, key: str, *, to: str, since: datetime, thread: str = "", file: str | None = None
) -> tuple[str, str] | None:
    """(channel, ts) of the message with a key in its metadata, or with a file, if it arrived.

    A reply is looked for in its thread.
    """
    place = conversation(slack, to)
    method, where = (
        (slack.conversations_replies, {"channel": place, "ts": thread})
        if thread
        else (slack.conversations_history, {"channel": place})
    )
    oldest = f"{(since - SKEW).timestamp():.6f}"
    cursor = ""
    while True:
        page = answer_of(method, **where, oldest=oldest, include_all_metadata=True, limit=A_PAGE, cursor=cursor or None)
        for message in _field(page, "messages", list):
            if _key(message) == key or (file is not None and file in _files(message)):
                return place, _text(message, "ts")
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return None


def _key(message: Mapping[str, Any]) -> object:
    metadata = message.get("metadata") or {}
    return (metadata.get("event_payload") or {}).get("key")


def _files(message: Mapping[str, Any]) -> list[object]:
    return [one.get("id") for one in message.get("files") or () if isinstance(one, dict)]


def conversation(slack: WebClient, to: str) -> str:
    """The id of a channel, or of the conversation with a person."""
    if not to.startswith(USERS):
        return to
    return _text(_field(answer_of(slack.conversations_open, users=to), "channel", dict), "id")


def upload(slack: WebClient, picture: Picture) -> str:
    """The id of an uploaded picture; no one but the app can see it until a message shows it."""
    granted = answer_of(
        slack.files_getUploadURLExternal,
        filename=picture.filename,
        length=len(picture.png),
        alt_txt=picture.alt_text,
    )
    file_id = _text(granted, "file_id")
    _hand_over(_text(granted, "upload_url"), picture.png)
    answer_of(slack.files_completeUploadExternal, files=[{"id": file_id, "title": picture.alt_text[:100]}])
    return file_id


def hand_in(slack: WebClient, document: Document) -> str:
    """The id of a document that is with Slack, and nowhere yet."""
    granted = answer_of(slack.files_getUploadURLExternal, filename=document.filename, length=len(document.content))
    _hand_over(_text(granted, "upload_url"), document.content)
    return _text(granted, "file_id")


def share(slack: WebClient, file_id: str, composed: Composed, *, to: str, thread: str = "") -> str:
    """Post a document that was handed in, with its words: the conversation in which it is.

    It carries no key: a file takes no metadata, so that it arrived is seen by its own id.
    """
    assert composed.document is not None  # noqa: S101 - only such messages come here
    channel = conversation(slack, to)
    answer_of(
        slack.files_completeUploadExternal,
        files=[{"id": file_id, "title": composed.document.title}],
        channel_id=channel,
        thread_ts=thread or None,
        blocks=json.dumps(composed.message.blocks),
    )
    return channel


def _hand_over(url: str, content: bytes) -> None:
    """The bytes go to another host than everything else, which a firewall may not know."""
    headers = {"Content-Type": "application/octet-stream"}
    try:
        request = urllib.request.Request(url, data=content, headers=headers)  # noqa: S310 - Slack's own address
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - the same
            is_page = answer.read(100).lstrip().startswith(b"<")
    except (OSError, HTTPException, ValueError) as error:
        raise PictureNotTakenError(type(error).__name__) from error
    if is_page:
        raise PictureNotTakenError("a page")


def post(
    slack: WebClient, key: str, composed: Composed, *, to: str, file_id: str | None, thread: str = ""
) -> tuple[str, str]:
    """(channel, ts) of the posted message, which carries its key; a reply goes into a thread."""
    blocks: list[dict[str, Any]] = list(composed.message.blocks)
    if file_id is not None and composed.picture is not None:
        picture = {"type": "image", "slack_file": {"id": file_id}, "alt_text": composed.picture.alt_text}
        # Below the first block, which says what the message is about.
        blocks.insert(1, picture)
    answer = answer_of(
        slack.chat_postMessage,
        channel=to,
        text=composed.message.text,
        blocks=blocks,
        unfurl_links=False,
        unfurl_media=False,
        thread_ts=thread or None,
        metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
    )
    return _text(answer, "channel"), _text(answer, "ts")


def update(slack: WebClient, composed: Composed, *, channel: str, ts: str) -> None:
    """Give a message that was posted a new face; it goes on carrying the key under which it was posted."""
    answer_of(slack.chat_update, channel=channel, ts=ts, text=composed.message.text, blocks=composed.message.blocks)


def _field(answer: SlackResponse, name: str, kind: type[T]) -> T:
    """What an answer has to hold beside its `ok`; an OddAnswerError without it."""
    value = answer.get(name)
    if not isinstance(value, kind):
        raise OddAnswerError(name)
    return value


def _text(answer: SlackResponse | Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise OddAnswerError(name)
    return value
