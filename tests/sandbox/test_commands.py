"""Slash commands and clicks, answered by a real Bolt app through Socket Mode."""

import json
import threading
import urllib.error
import urllib.request
from collections import Counter
from contextlib import ExitStack
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from sandbox import Sandbox
from tests.sandbox.company import ADA, BALANCE, BEN, BOT, GENERAL, TEAM, button, section
from tests.sandbox.conftest import HandClock, TokensApp, bolt_app, leave


def post(url: str, **body: Any) -> tuple[int, str]:  # noqa: ANN401 - any answer
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers=headers)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310 - our own server
            return response.status, response.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)["error"]


def test_a_command_is_answered_to_its_author_alone(sandbox: Sandbox, app: TokensApp) -> None:
    """The acknowledgement's text is shown to who asked, in a channel that the app is not in, and to no one else."""
    app.reply = lambda ack, body, **_: ack(f"You said {body['text']}")
    answer = sandbox.command(ADA, GENERAL, "/tokens balance now")
    assert (answer.text, answer.error) == ("You said balance now", "")
    assert (answer.message.author, answer.message.ephemeral_to) == (BOT, ADA)
    assert [message.text for message in sandbox.messages(GENERAL, ADA)] == ["You said balance now"]
    assert sandbox.messages(GENERAL, BEN) == ()


def test_the_payload_is_complete(sandbox: Sandbox, app: TokensApp) -> None:
    """The app is told who, where and what, with mentions as ids where the command asks for them."""
    sandbox.command(ADA, GENERAL, "/tokens  give @ben 5 <b> #general")
    body = app.bodies[0]
    assert body["text"] == "give <@U0BEN|ben> 5 &lt;b&gt; <#C0GENERAL|general>"
    assert {key: body[key] for key in ("command", "user_id", "user_name", "channel_id", "channel_name")} == {
        "command": "/tokens",
        "user_id": ADA,
        "user_name": "ada",
        "channel_id": GENERAL,
        "channel_name": "general",
    }
    rest = {"team_id", "team_domain", "api_app_id", "trigger_id", "response_url", "token", "is_enterprise_install"}
    assert rest <= body.keys()
    sandbox.command(ADA, sandbox.dm(ADA), "/raw @ben <b>")
    assert (app.bodies[1]["text"], app.bodies[1]["channel_name"]) == ("@ben <b>", "directmessage")


def test_blocks_and_channel_answers(sandbox: Sandbox, app: TokensApp) -> None:
    """An answer for the channel is seen by everyone, after the command that asked for it."""
    app.reply = lambda ack, **_: ack(response_type="in_channel", text="Balance", blocks=BALANCE)
    answer = sandbox.command(ADA, GENERAL, "/tokens balance")
    assert answer.blocks[0]["text"]["text"] == "Your balance"
    assert [message.text for message in sandbox.messages(GENERAL, BEN)] == ["/tokens balance", "Balance"]
    assert sandbox.warnings == ()


def test_an_empty_acknowledgement_shows_nothing(sandbox: Sandbox, app: TokensApp) -> None:
    """No text, no message: the app may still answer later."""
    app.reply = lambda ack, **_: ack()
    assert sandbox.command(ADA, GENERAL, "/tokens").messages == ()


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "x", "blocks": [section("")]},
        {"text": "x", "response_type": "aloud"},
    ],
)
def test_an_invalid_answer_becomes_a_notice(sandbox: Sandbox, app: TokensApp, answer: dict[str, Any]) -> None:
    """What the platform would refuse is not shown; the person reads a notice and the sandbox remembers why."""
    app.reply = lambda ack, **_: ack(**answer)
    shown = sandbox.command(ADA, GENERAL, "/tokens balance")
    assert shown.error == "invalid_command_response"
    assert "cannot be shown" in shown.text
    assert len(sandbox.warnings) == 1


def test_late_apps_and_unknown_commands(sandbox: Sandbox, app: TokensApp) -> None:
    """An app that is late, that fails, or that does not know the command leaves a notice with the platform's code."""
    gate = threading.Event()
    sandbox._platform.deadline = 0.05
    app.reply = lambda ack, **_: (gate.wait(2), ack("late"))
    assert sandbox.command(ADA, GENERAL, "/tokens balance").error == "operation_timeout"
    gate.set()
    sandbox.wait_for(lambda: any("too late" in warning for warning in sandbox.warnings))
    unknown = sandbox.command(ADA, GENERAL, "/tonkes balance")
    assert (unknown.error, unknown.text) == ("unknown_command", "`/tonkes` is not a command here.")


def test_nobody_listens(sandbox: Sandbox) -> None:
    """Without a connection the command fails at once."""
    answer = sandbox.command(ADA, GENERAL, "/tokens balance")
    assert (answer.error, answer.message.ephemeral_to) == ("dispatch_failed", ADA)
    assert sandbox.messages(GENERAL, BEN) == ()


def test_answers_by_response_url(sandbox: Sandbox, app: TokensApp) -> None:
    """`respond` adds, replaces and deletes; the fifth use is the last."""
    app.reply = lambda ack, respond, **_: (ack("first"), respond("more"), respond("instead", replace_original=True))

    def texts() -> list[str]:
        return [message.text for message in sandbox.messages(GENERAL, ADA)]

    sandbox.command(ADA, GENERAL, "/tokens x")
    sandbox.wait_for(lambda: len(texts()) == 3)
    url = app.bodies[0]["response_url"]
    assert post(url, text="loud", response_type="in_channel") == (200, "ok")
    assert [message.text for message in sandbox.messages(GENERAL, BEN)] == ["loud"]
    assert post(url, text="") == (400, "no_text")
    assert post(url, text="fifth") == (200, "ok")
    assert post(url, text="sixth") == (404, "used_url")


def test_replacing_and_deleting_an_answer(sandbox: Sandbox, app: TokensApp) -> None:
    """The original of a command's `response_url` is its answer."""
    app.reply = lambda ack, **_: ack("first")
    sandbox.command(ADA, GENERAL, "/tokens x")
    url = app.bodies[0]["response_url"]
    post(url, text="second", replace_original=True)
    assert [message.text for message in sandbox.messages(GENERAL, ADA)] == ["second"]
    post(url, delete_original=True)
    assert sandbox.messages(GENERAL, ADA) == ()


def test_a_response_url_ends(sandbox: Sandbox, app: TokensApp, clock: HandClock) -> None:
    """Thirty minutes are the life of a `response_url`."""
    sandbox.command(ADA, GENERAL, "/tokens x")
    url = app.bodies[0]["response_url"]
    clock.advance(minutes=30)
    assert post(url, text="just in time") == (200, "ok")
    clock.advance(seconds=1)
    assert post(url, text="too late") == (404, "expired_url")
    assert post(f"{sandbox.url}/hooks/response/guessed", text="x") == (404, "expired_url")


def test_each_envelope_goes_to_one_connection(sandbox: Sandbox, app: TokensApp, client: WebClient) -> None:
    """Two connections share the commands: none is lost, none comes twice."""
    second = TokensApp(bolt_app(sandbox, client))
    handler = SocketModeHandler(second.bolt, sandbox.workspace.app.app_token)
    handler.connect()  # type: ignore[no-untyped-call]
    sandbox.wait_for(lambda: sandbox.connections == 2)
    for number in range(10):
        assert sandbox.command(ADA, GENERAL, f"/tokens {number}").error == ""
    leave(handler)
    seen = Counter(body["text"] for body in app.bodies + second.bodies)
    assert seen == {str(number): 1 for number in range(10)}
    assert (len(app.bodies), len(second.bodies)) == (5, 5)


@pytest.mark.usefixtures("app")
def test_an_app_that_is_sent_away_comes_back(sandbox: Sandbox) -> None:
    """After a `disconnect` the client fetches a new address and goes on."""
    sandbox.disconnect_sockets()
    sandbox.wait_for(lambda: len([call for call in sandbox.calls if call.method == "apps.connections.open"]) == 2)
    sandbox.wait_for(lambda: sandbox.connections == 1)
    assert sandbox.command(ADA, GENERAL, "/tokens x").text == "Hello"


def test_a_ticket_admits_one_connection(sandbox: Sandbox) -> None:
    """The address from `apps.connections.open` works once; an eleventh connection is turned away."""
    app_token = sandbox.workspace.app.app_token
    client = WebClient(base_url=sandbox.api_url)
    urls = [client.apps_connections_open(app_token=app_token)["url"] for _ in range(11)]
    with ExitStack() as stack:
        sockets = [stack.enter_context(connect(url, proxy=None)) for url in urls]
        greetings = [json.loads(socket.recv()) for socket in sockets]
        assert [greeting["type"] for greeting in greetings] == ["hello"] * 10 + ["disconnect"]
        assert greetings[10]["reason"] == "too_many_websockets"
        with pytest.raises(InvalidStatus, match="403"):
            stack.enter_context(connect(urls[0], proxy=None))


def test_a_click_reaches_the_app(sandbox: Sandbox, app: TokensApp, client: WebClient) -> None:
    """A button's value and place reach the app, whose `response_url` replaces the message."""
    clicks: list[dict[str, Any]] = []

    def approve(ack: Any, respond: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 - Bolt's own
        ack()
        clicks.append(body)
        respond("Done", replace_original=True)

    app.bolt.action("approve")(approve)
    acts = {"type": "actions", "block_id": "acts", "elements": [button(action_id="approve", value="req_1")]}
    posted = client.chat_postMessage(channel=TEAM, text="Approve?", blocks=[acts])
    message = sandbox.messages(TEAM, ADA)[-1]
    assert sandbox.press(ADA, message, "approve").error == ""
    assert sandbox.messages(TEAM, BEN)[-1].text == "Done"
    action = clicks[0]["actions"][0]
    assert (action["value"], action["block_id"], clicks[0]["user"]["id"]) == ("req_1", "acts", ADA)
    assert clicks[0]["container"]["message_ts"] == posted["ts"]


def test_deactivated_people_do_nothing(sandbox: Sandbox) -> None:
    """No one types in the name of who has left, or in a channel that is not theirs."""
    with pytest.raises(ValueError, match="Gil Gone cannot write there"):
        sandbox.command("U0GONE", GENERAL, "/tokens balance")
    with pytest.raises(ValueError, match="Ada Lovelace cannot write there"):
        sandbox.say(ADA, "C0BOARD", "Hello")


def test_the_api_survives_a_delay(sandbox: Sandbox, client: WebClient) -> None:
    """A delayed call does not hold up the others."""
    sandbox.faults.add("users.info", delay=0.3)
    slow = threading.Thread(target=client.users_info, kwargs={"user": ADA})
    slow.start()
    client.auth_test()
    assert slow.is_alive()
    slow.join()
    sandbox.faults.add("auth.test", error="fatal_error")
    with pytest.raises(SlackApiError):
        client.auth_test()
