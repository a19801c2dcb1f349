"""Slack's side of HTTP mode, in process: what it signs, and what someone else sends in its name."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi.testclient import TestClient
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier

from handlers import http, slack_app
from handlers.slack.routes import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

    from programme.app import App
    from sandbox import Sandbox

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
AWAY = "http://127.0.0.1:9/api/"
"""A workspace where no one answers."""


@dataclass(frozen=True)
class SignedHttp:
    """A bot that listens to signed requests."""

    http: TestClient

    def send(self, body: str | bytes, content_type: str = FORM, **headers: str) -> Response:
        """A body as Slack signs it now; `headers` replace what it would send."""
        raw = body if isinstance(body, bytes) else body.encode()
        return self.http.post("/slack/events", content=raw, headers=self.signed(raw, content_type) | headers)

    def event(self, content: Any) -> Response:  # noqa: ANN401 - anything that is JSON
        return self.send(json.dumps(content), JSON)

    def interaction(self, content: Any) -> Response:  # noqa: ANN401 - anything that is JSON
        return self.send(urlencode({"payload": json.dumps(content)}))

    def command(self, text: str, user: str, *, trigger_id: str = "1.2.a") -> Response:
        return self.send(urlencode(command(text, user, trigger_id=trigger_id)))

    @staticmethod
    def signed(body: bytes, content_type: str) -> dict[str, str]:
        stamp = str(int(time.time()))
        try:
            signature = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body)
        except UnicodeDecodeError:
            signature = None
        return {
            "content-type": content_type,
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": signature or f"v0={'0' * 64}",
        }


@contextmanager
def listening(app: App, *, sandbox: Sandbox | None = None) -> Iterator[SignedHttp]:
    """The bot, in a workspace or in none."""
    token = sandbox.workspace.app.bot_token if sandbox else "xoxb-1"

    def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_token=token, bot_id="B1", bot_user_id="U0BOT")

    address = sandbox.api_url if sandbox else AWAY
    bolt = slack_app.build(app, signing_secret=SECRET, authorize=authorize, api_url=address)
    with TestClient(http.build(app, slack=Endpoint(bolt, SECRET))) as opened:
        yield SignedHttp(opened)


def command(text: str, user: str, *, trigger_id: str = "1.2.a") -> dict[str, str]:
    return {
        "command": "/tokens",
        "text": text,
        "user_id": user,
        "team_id": "T1",
        "channel_id": "C1",
        "api_app_id": "A1",
        "response_url": AWAY,
        "trigger_id": trigger_id,
    }


def press(action_id: str, user: str, value: str = "", *, trigger_id: str = "1.2.b") -> dict[str, Any]:
    return {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": user},
        "trigger_id": trigger_id,
        "container": {"type": "message", "channel_id": "C1", "message_ts": "1.1"},
        "response_url": AWAY,
        "actions": [{"type": "button", "action_id": action_id, "block_id": "b", "value": value}],
    }


def submission(callback_id: str, user: str, values: dict[str, dict[str, Any]], **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """`values` are the elements' entries by block."""
    trigger_id = more.pop("trigger_id", "1.2.c")
    view = {"id": "V1", "type": "modal", "callback_id": callback_id, "hash": "1.x", **more}
    blocks = [{"type": "input", "block_id": name, "element": {}} for name in values]
    state = {"values": {name: {name: entry} for name, entry in values.items()}}
    return {
        "type": "view_submission",
        "team": {"id": "T1"},
        "user": {"id": user},
        "trigger_id": trigger_id,
        "view": {"private_metadata": "", "blocks": blocks, "state": state, **view},
    }


def suggestion(action_id: str, user: str, typed: str) -> dict[str, Any]:
    return {
        "type": "block_suggestion",
        "team": {"id": "T1"},
        "user": {"id": user},
        "action_id": action_id,
        "block_id": action_id,
        "value": typed,
        "view": {"id": "V1", "type": "modal", "callback_id": "fast_track_form"},
    }


def event(content: dict[str, Any], event_id: str = "Ev1") -> dict[str, Any]:
    return {
        "type": "event_callback",
        "team_id": "T1",
        "event_id": event_id,
        "authorizations": [{"enterprise_id": None, "team_id": "T1", "user_id": "U0BOT", "is_bot": True}],
        "event": content,
    }
