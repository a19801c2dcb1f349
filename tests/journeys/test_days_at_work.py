"""The real bot in a workspace, over Socket Mode and over signed HTTP: people type commands, gateways report usage."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from handlers.slack.commands import PROGRAMME, YOURS
from handlers.slack_app import COMMANDS
from programme.usage import keys
from tests.support import cast, slack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from sandbox import Sandbox


DEADLINE = 3.0
"""Slack's patience with a command, in seconds."""


@pytest.fixture
def over_sockets(sandbox: Sandbox, app: App) -> Iterator[str]:
    """The bot's HTTP side, once its socket is connected."""
    with slack.bot(sandbox, app, slack.load(slack.environment(sandbox, slack.NO_DATABASE))) as running:
        yield running


@pytest.fixture
def over_http(sandbox: Sandbox, app: App) -> Iterator[str]:
    """The bot's HTTP side, to which the workspace's requests go as well."""
    with slack.bot(sandbox, app, slack.load(slack.signed_environment(sandbox, slack.NO_DATABASE))) as running:
        yield running


@pytest.fixture(params=["over_sockets", "over_http"])
def address(request: pytest.FixtureRequest) -> str:
    """The bot's HTTP side, in both of Slack's modes."""
    running: str = request.getfixturevalue(request.param)
    return running


def gateway_key(app: App) -> str:
    with app.transaction() as moment:
        made = keys.create(moment, name="gateway", source="gateway", scopes=["usage:write"], actor="test")
    return made.secret


def report(address: str, secret: str, *events: dict[str, Any]) -> list[str]:
    """What became of each event that a gateway reports."""
    with httpx.Client(trust_env=False, timeout=10) as client:
        answer = client.post(f"{address}/v1/usage", json=list(events), headers={"authorization": f"Bearer {secret}"})
    answer.raise_for_status()
    return [result["status"] for result in answer.json()["results"]]


def usage_of(email: str, event_id: str) -> dict[str, Any]:
    """A million input tokens: USD 3, 300 tokens."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "gateway",
        "type": "gen_ai.usage",
        "time": "2026-11-20T09:30:00Z",
        "data": {
            "user.email": email,
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.usage.input_tokens": 100_000,
            "gen_ai.usage.output_tokens": 180_000,
        },
    }


def asked(sandbox: Sandbox, user: str, line: str, channel: str = slack.GENERAL) -> str:
    """What the person reads; the answer is for no one else."""
    answer = sandbox.command(user, channel, line)
    assert answer.error == "", answer.text
    assert answer.message.ephemeral_to == user
    assert answer.text
    return json.dumps(answer.blocks, ensure_ascii=False)


def test_adas_day(sandbox: Sandbox, app: App, address: str) -> None:
    """Ada reads her balance, her gateway reports what she used, and the next command knows it to the last digit."""
    cast.give(app, "ada@example.com", "1500")
    secret = gateway_key(app)
    assert "*1,500 tokens left* of 1,500 in open grants" in asked(sandbox, slack.ADA, "/tokens balance")
    assert report(address, secret, usage_of("ada@example.com", "e1")) == ["accepted"]
    assert "*1,200 tokens left* of 1,500 in open grants" in asked(sandbox, slack.ADA, "/tokens balance")
    assert report(address, secret, usage_of("ada@example.com", "e1")) == ["duplicate"]
    assert "*1,200 tokens left*" in asked(sandbox, slack.ADA, "/tokens Balance  ")
    shown = sandbox.command(slack.ADA, slack.GENERAL, "/tokens why").message
    sandbox.press(slack.ADA, shown, "balance_digits")
    digits = sandbox.messages(slack.GENERAL, slack.ADA)[-1]
    assert digits.ephemeral_to == slack.ADA
    why = json.dumps(digits.blocks, ensure_ascii=False)
    assert "100,000 input tokens × USD 3 per million + 180,000 output tokens × USD 15 per million = USD 3" in why
    assert "300 tokens" in asked(sandbox, slack.ADA, "/tokens history")
    assert "you used nothing" in asked(sandbox, slack.ADA, "/tokens history 2026-10")


def test_everybody_gets_an_answer(sandbox: Sandbox, app: App, address: str) -> None:
    """Known and unknown people get their answers to every command, each for their own eyes."""
    del address
    cast.hire(app, slack.ZOE)
    cast.give(app, "zoe@example.com", "77")
    assert "*77 tokens left*" in asked(sandbox, slack.NEWCOMER, "/tokens balance")
    assert "Guests of the workspace have no part" in asked(sandbox, slack.GUEST, "/tokens balance")
    for user in (slack.ADA, slack.NEWCOMER, slack.GUEST):
        for command in COMMANDS:
            # Forms are journeys of their own.
            if command.name not in {"request", "warnings"}:
                asked(sandbox, user, f"/tokens {command.name}")
    of_all = [command for command in COMMANDS if command.topic in {YOURS, PROGRAMME}]
    assert asked(sandbox, slack.ADA, "/tokens").count("• `/tokens ") == len(of_all)
    assert "Did you mean `/tokens balance`?" in asked(sandbox, slack.ADA, "/tokens balanse")
    # The bot is not a member of this channel; an acknowledgement needs no membership.
    assert "You have no tokens yet." in asked(sandbox, slack.ADA, "/tokens balance", slack.PRIVATE)
    # Slack was asked who the newcomer and the guest are; the newcomer alone is written to, that they are known by now.
    asked_of_slack = {"apps.connections.open", "auth.test", "users.info", "conversations.open", "chat.postMessage"}
    assert {call.method for call in sandbox.calls} <= asked_of_slack
    written = [call for call in sandbox.calls if call.method == "chat.postMessage"]
    assert len(written) <= 1
    assert sandbox.messages(slack.GENERAL, slack.BEN) == ()


def test_twenty_commands_at_once(sandbox: Sandbox, app: App, address: str) -> None:
    """Twenty people ask in the same instant, and each has their own figures before Slack gives up."""
    people = [
        (slack.ADA, "ada", "1,111"),
        (slack.BEN, "ben", "2,222"),
        (slack.MARA, "mara", "3,333"),
        (slack.IRIS, "iris", "4,444"),
    ]
    for _, name, amount in people:
        cast.give(app, f"{name}@example.com", amount.replace(",", ""))
    secret = gateway_key(app)

    def timed(who: tuple[str, str, str]) -> tuple[str, str, float]:
        begun = time.monotonic()
        return who[2], asked(sandbox, who[0], "/tokens balance"), time.monotonic() - begun

    with ThreadPoolExecutor(21) as pool:
        # Usage comes in meanwhile, so that readers and a writer meet.
        writing = pool.submit(
            report, address, secret, *(usage_of("omar@example.com", f"e{number}") for number in range(200))
        )
        answers = list(pool.map(timed, people * 5))
        assert writing.result(10) == ["accepted"] * 200
    for amount, text, seconds in answers:
        assert f"*{amount} tokens left*" in text
        assert seconds < DEADLINE


def test_the_bot_comes_back(sandbox: Sandbox, over_sockets: str) -> None:
    """When Slack ends the connection, as it does every few hours, the bot opens another and answers on."""
    del over_sockets
    assert sandbox.command(slack.ADA, slack.GENERAL, "/tokens help").error == ""
    sandbox.disconnect_sockets()
    sandbox.wait_for(lambda: not sandbox.connections or len(sandbox.deliveries()[0]) == 0)
    sandbox.wait_for(lambda: sandbox.connections)
    assert sandbox.command(slack.ADA, slack.GENERAL, "/tokens help").error == ""


def test_another_secret_is_refused(sandbox: Sandbox, over_http: str) -> None:
    """Requests signed with another app's secret are not answered, and Slack shows that to the person."""
    del over_http
    sandbox.workspace.change_app(signing_secret="another")
    assert sandbox.command(slack.ADA, slack.GENERAL, "/tokens balance").error == "dispatch_failed"
    assert sandbox.calls == ()
