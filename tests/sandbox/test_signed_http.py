"""The other way to reach an app: signed HTTP requests."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from slack_bolt import Ack
from slack_bolt.adapter.starlette import SlackRequestHandler
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox import Sandbox
from tests.sandbox.company import ADA, GENERAL, button
from tests.sandbox.conftest import HandClock, TokensApp, bolt_app


@pytest.fixture
def http_app(sandbox: Sandbox, client: WebClient, clock: HandClock) -> Iterator[TokensApp]:
    """Listens where the workspace's request URL points; signatures are of the real time, so the clock is too."""
    sandbox._platform.clock = lambda: clock.now.fromtimestamp(time.time(), tz=clock.now.tzinfo)
    made = TokensApp(bolt_app(sandbox, client))
    handler = SlackRequestHandler(made.bolt)

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    async def away(_: Request) -> Response:
        return RedirectResponse("/slack/events", 307)

    async def slow(_: Request) -> Response:
        await asyncio.sleep(0.3)
        return PlainTextResponse("late")

    routes = [
        Route(f"/{path}", endpoint, methods=["POST"])
        for path, endpoint in (("slack/events", events), ("away", away), ("slow", slow))
    ]
    config = uvicorn.Config(Starlette(routes=routes), port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    sandbox.wait_for(lambda: server.started)
    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    sandbox.workspace.change_app(request_url=f"{base}/slack/events")
    yield made
    server.should_exit = True
    thread.join()


def aim(sandbox: Sandbox, path: str) -> None:
    url = sandbox.workspace.app.request_url
    sandbox.workspace.change_app(request_url=url.replace("/slack/events", path))


def test_signed_requests_are_answered(sandbox: Sandbox, http_app: TokensApp) -> None:
    """A Bolt app that verifies signatures takes the request; its body is the answer, as text or JSON."""
    assert sandbox.command(ADA, GENERAL, "/tokens balance").text == "Hello"
    http_app.reply = lambda ack, **_: ack(text="As JSON", response_type="in_channel")
    assert sandbox.command(ADA, GENERAL, "/tokens balance").message.ephemeral_to == ""
    http_app.reply = lambda ack, **_: ack()
    assert sandbox.command(ADA, GENERAL, "/tokens balance").messages == ()


def test_a_wrong_secret_is_refused(sandbox: Sandbox, http_app: TokensApp) -> None:
    """A request signed with another secret never reaches the command; the person sees that it failed."""
    sandbox.workspace.change_app(signing_secret="another")
    assert sandbox.command(ADA, GENERAL, "/tokens balance").error == "dispatch_failed"
    assert http_app.bodies == []


def test_http_failures(sandbox: Sandbox, http_app: TokensApp) -> None:
    """Redirects, closed ports and late answers are failures that say which."""
    aim(sandbox, "/away")
    assert sandbox.command(ADA, GENERAL, "/tokens x").error == "dispatch_failed"
    assert http_app.bodies == []
    sandbox._platform.deadline = 0.1
    sandbox.workspace.change_app(request_url=sandbox.workspace.app.request_url.replace("/away", "/slow"))
    assert sandbox.command(ADA, GENERAL, "/tokens x").error == "operation_timeout"
    sandbox.workspace.change_app(request_url="http://127.0.0.1:1/")
    assert sandbox.command(ADA, GENERAL, "/tokens x").error == "dispatch_failed"


def test_clicks_are_posted_as_payload(sandbox: Sandbox, http_app: TokensApp, client: WebClient) -> None:
    """A click arrives as JSON within a form, which Bolt unpacks."""
    clicked = threading.Event()

    def go(ack: Ack) -> None:
        ack()
        clicked.set()

    http_app.bolt.action("go")(go)
    acts = {"type": "actions", "elements": [button(action_id="go")]}
    posted = client.chat_postMessage(channel=ADA, text="x", blocks=[acts])
    message = sandbox.messages(posted["channel"], ADA)[-1]
    assert sandbox.press(ADA, message, "go").error == ""
    assert clicked.is_set()
