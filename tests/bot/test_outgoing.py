"""The bot's tokens go to Slack's host and to no other, wherever an answer points."""

from __future__ import annotations

import threading
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from bot import wiring
from handlers import slack_app
from handlers.slack.users import quick
from scheduler import slack_delivery
from tests.support import slack

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "xoxb-hush"


@contextmanager
def server(location: str = "", status: int = 302) -> Iterator[tuple[str, list[str]]]:
    """A host that sends everyone on to `location`, or answers; its address, and what it was asked with which token."""
    asked: list[str] = []

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(f"{self.command} {self.headers.get('Authorization')}")
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status if location else 200)
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(b'{"ok": true}')

        do_GET = do_POST  # noqa: N815 - the same

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    running = HTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/api/", asked
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


@pytest.fixture(autouse=True)
def _as_the_bot_starts(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    monkeypatch.setattr(urllib.request, "_opener", None)
    wiring.new_app(slack.load({"TOKENS_DATABASE_URL": sqlite_url})).database.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("made", ["plain", "courier", "quick", "bolt"])
def test_a_redirect_is_not_followed(sqlite_app: object, made: str, status: int) -> None:
    """Each client that we or the library make stops at the answer, and the other host hears nothing."""
    with server() as (elsewhere, heard), server(elsewhere + "auth.test", status) as (here, asked):
        client = {
            "plain": lambda: WebClient(TOKEN, base_url=here),
            "courier": lambda: slack_delivery.client(TOKEN, here),
            "quick": lambda: quick(WebClient(TOKEN, base_url=here)),
            "bolt": lambda: slack_app.build(sqlite_app, token=TOKEN, api_url=here).client,  # type: ignore[arg-type]  # only kept
        }[made]()
        with pytest.raises(SlackApiError):
            client.auth_test()
    assert asked == [f"POST Bearer {TOKEN}"]
    assert heard == []


def test_neither_is_one_of_an_answer(sqlite_app: object) -> None:  # noqa: ARG001 - the same start
    """What is said to a response_url stays there as well."""
    with server() as (elsewhere, heard), server(elsewhere) as (here, asked):
        said = WebhookClient(here, retry_handlers=[]).send(text="a balance")
    assert (said.status_code, len(asked), heard) == (302, 1, [])
