"""(a) `/tokens balance`, a signed request dispatched in process, over an empty Bolt handler in the same mode."""

from __future__ import annotations

import json
import time
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from slack_bolt import Ack, BoltRequest
from slack_bolt import App as Bolt
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from handlers import slack_app
from handlers.rates import Rate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from programme.app import App

SECRET = "bench"  # noqa: S105 - signs requests to ourselves
WARM_UP, ROUNDS = 300, 3_000
SOMEBODY = 7
"""The number of the person who asks."""

AT_ANY_RATE = Rate(at_once=1_000_000, a_second=1)
"""One person asks here as often as hundreds do elsewhere."""


def authorize(**_: object) -> AuthorizeResult:
    return AuthorizeResult(
        enterprise_id=None,
        team_id="T1",
        bot_token="xoxb-bench",  # noqa: S106
        bot_id="B1",
        bot_user_id="U0BOT",
    )


def asked(user: str, command: str = "/tokens", text: str = "balance") -> BoltRequest:
    """A command as Slack would send it now."""
    return signed(
        {
            "command": command,
            "text": text,
            "user_id": user,
            "team_id": "T1",
            "channel_id": "C1",
            "trigger_id": "1",
            "response_url": "http://127.0.0.1/",
        }
    )


def signed(fields: Mapping[str, str]) -> BoltRequest:
    """A request as Slack would send it now."""
    body = urlencode(fields)
    timestamp = str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=timestamp, body=body)
    headers: dict[str, str | Sequence[str]] = {
        "content-type": ["application/x-www-form-urlencoded"],
        "x-slack-request-timestamp": [timestamp],
        "x-slack-signature": [str(signature)],
    }
    return BoltRequest(body=body, headers=headers)


def measure(*apps: App) -> tuple[list[float], float]:
    """(seconds for a balance of each app, seconds for an empty command): medians, taken in turn."""
    bolts = [slack_app.build(app, signing_secret=SECRET, authorize=authorize, rate=AT_ANY_RATE) for app in apps]

    def empty(ack: Ack) -> None:
        ack(response_type="ephemeral", text="empty")

    # In an app of its own: among ours it would be looked for behind all our listeners.
    bare = empty_app()
    bare.command("/empty")(empty)
    spent: list[list[float]] = []
    for _ in range(WARM_UP + ROUNDS):
        ours = [_dispatch(bolt, "/tokens", "balance", "blocks") for bolt in bolts]
        spent.append([*ours, _dispatch(bare, "/empty", "", "text")])
    *balances, floor = (median(column) for column in zip(*spent[WARM_UP:], strict=True))
    return balances, floor


def empty_app() -> Bolt:
    """An app without listeners, in the mode of ours: the floor's."""
    return Bolt(
        client=WebClient(),
        signing_secret=SECRET,
        process_before_response=True,
        authorize=authorize,
        token_verification_enabled=False,
    )


def _dispatch(bolt: Bolt, command: str, text: str, expected: str) -> float:
    request = asked(f"U{SOMEBODY:06}", command, text)
    begin = time.perf_counter()
    answer = bolt.dispatch(request)
    spent = time.perf_counter() - begin
    assert answer.status == 200
    body = json.loads(answer.body)
    assert expected in body
    assert "wrong" not in body["text"]
    return spent
