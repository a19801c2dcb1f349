"""A workspace for each test, and an app made with the platform's own libraries."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.socket_mode import end_session
from sandbox import Sandbox, Workspace
from tests.sandbox.company import PLAN
from tests.support import browser

PATIENCE_MS = 5_000


@dataclass
class HandClock:
    """Stands still until a test moves it."""

    now: datetime = datetime(2026, 11, 9, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **step: float) -> None:
        self.now += timedelta(**step)


@dataclass
class TokensApp:
    """A Bolt app whose answers a test chooses: `reply` gets what Bolt's `ack` and `respond` take."""

    bolt: App
    bodies: list[dict[str, Any]] = field(default_factory=list)
    reply: Callable[..., object] = lambda ack, **_: ack("Hello")
    handler: Any = None

    def __post_init__(self) -> None:
        for command in ("/tokens", "/raw"):
            self.bolt.command(command)(self.answer)

    def answer(self, ack: Any, respond: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 - Bolt's own
        self.bodies.append(body)
        self.reply(ack=ack, respond=respond, body=body)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client library sends even local calls through a proxy that the environment names."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def sandbox(clock: HandClock) -> Iterator[Sandbox]:
    with Sandbox(Workspace.from_dict(PLAN), clock=clock) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> WebClient:
    return WebClient(sandbox.workspace.app.bot_token, base_url=sandbox.api_url)


@pytest.fixture
def app(sandbox: Sandbox, client: WebClient) -> Iterator[TokensApp]:
    """Connected by Socket Mode."""
    made = TokensApp(bolt_app(sandbox, client))
    handler = SocketModeHandler(made.bolt, sandbox.workspace.app.app_token)
    made.handler = handler
    handler.connect()  # type: ignore[no-untyped-call]
    sandbox.wait_for(lambda: sandbox.connections)
    yield made
    leave(handler)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.launched() as running:
        yield running


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with browser.opened(chromium, height=820, patience=PATIENCE_MS) as opened:
        yield opened


def leave(handler: SocketModeHandler) -> None:
    """Closes the client; the empty message wakes its queue, which would otherwise be waited for a whole second."""
    handler.client.closed = True
    handler.client.message_queue.put(None)
    end_session(handler.client)
    handler.close()  # type: ignore[no-untyped-call]


def bolt_app(sandbox: Sandbox, client: WebClient) -> App:
    logger = logging.getLogger("tests.bolt")
    logger.setLevel(logging.CRITICAL)
    secret = sandbox.workspace.app.signing_secret
    return App(client=client, signing_secret=secret, process_before_response=True, logger=logger)
