"""Running the bot: Slack in one of its two modes, the HTTP side, the clockwork, and a clean stop."""

from __future__ import annotations

import logging
import signal
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

import uvicorn
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from handlers import http, slack_app
from handlers.slack import board_group, homes
from handlers.slack.routes import Endpoint
from policy.reasons import Refusal
from scheduler import slack_delivery, ticker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from slack_bolt import App as Bolt
    from slack_sdk.socket_mode.builtin.client import SocketModeClient
    from slack_sdk.socket_mode.client import BaseSocketModeClient

    from bot.settings import Settings
    from programme.app import App

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 10
SEE_DOCTOR = "See `tokens-bot doctor`."


@contextmanager
def serving(settings: Settings, app: App) -> Iterator[str]:
    """The whole bot in the background of the block; yields the address of its HTTP side.

    Leaving the block stops the intake first, lets what is under way finish, then closes the connections.
    """
    if not settings.slack_bot_token:
        raise Refusal("no_bot_token", "SLACK_BOT_TOKEN is not set.", next_step="See docs/operators/README.md, step 2.")
    if not settings.socket_mode and not settings.slack_signing_secret:
        raise Refusal(
            "no_slack_mode",
            "Neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP) is set.",
            next_step="Set one of them.",
        )
    client = WebClient(token=settings.slack_bot_token, base_url=settings.slack_api_url)
    shown = homes.Homes(app, client)
    app = replace(app, refresh_home=shown.refresh)
    signing_secret = None if settings.socket_mode else settings.slack_signing_secret
    slack = slack_app.build(
        app,
        token=settings.slack_bot_token,
        signing_secret=signing_secret,
        api_url=settings.slack_api_url,
    )
    with ExitStack() as stack:
        stack.callback(shown.close)
        courier = slack_delivery.client(settings.slack_bot_token, settings.slack_api_url)
        read_board = partial(board_group.refresh, app, slack.client) if app.board_usergroup else None
        clockwork = ticker.build(app, slack=courier, announce_in=settings.announce_channel, read_board=read_board)
        clockwork.start()
        stack.callback(clockwork.shutdown, wait=True)
        if settings.socket_mode:
            stack.enter_context(_socket_mode(settings, slack))
        endpoint = Endpoint(slack, signing_secret) if signing_secret else None
        api = http.build(app, slack=endpoint, github_secret=settings.github_webhook_secret)
        yield stack.enter_context(_http(api, settings.http_host, settings.http_port))


@contextmanager
def _socket_mode(settings: Settings, slack: Bolt) -> Iterator[None]:
    handler = SocketModeHandler(
        slack,
        settings.slack_app_token,
        web_client=WebClient(token=settings.slack_bot_token, base_url=settings.slack_api_url),
    )
    try:
        _connect(handler)
        yield
    finally:
        _finish_answers(handler.client)
        end_session(handler.client)
        handler.close()  # type: ignore[no-untyped-call]  # Bolt left it untyped


def _connect(handler: SocketModeHandler) -> None:
    try:
        handler.connect()  # type: ignore[no-untyped-call]  # the same
    except SlackApiError as error:
        code = error.response["error"]
        raise Refusal("slack_refused", f"Slack refuses Socket Mode: {code}.", next_step=SEE_DOCTOR) from error
    except (SlackClientError, OSError) as error:
        raise Refusal("slack_away", f"Slack does not answer: {error}.", next_step=SEE_DOCTOR) from error


def _finish_answers(client: BaseSocketModeClient) -> None:
    """Take no further command, and wait for those under way: `close` would drop the connection before their answers."""
    client.closed = True
    client.message_queue.put(None)
    client.message_processor.shutdown()  # type: ignore[no-untyped-call]  # the same
    client.message_workers.shutdown()


def end_session(client: BaseSocketModeClient) -> None:
    """Stop receiving; the library alone may wait for ever.

    Its thread takes back that it is to end when it only begins to receive then, so it is told until it has ended.
    """
    builtin = cast("SocketModeClient", client)
    builtin.auto_reconnect_enabled = False
    builtin.disconnect()
    runner = builtin.current_session_runner
    runner.event.set()
    while runner.is_alive():
        builtin.current_session_state.terminated = True
        runner.thread.join(0.05)


@contextmanager
def _http(api: FastAPI, host: str, port: int) -> Iterator[str]:
    server = uvicorn.Server(
        uvicorn.Config(api, host, port, log_config=None, access_log=False, timeout_graceful_shutdown=DRAIN_SECONDS)
    )
    failed: list[BaseException] = []

    def serve() -> None:
        try:
            server.run()
        except SystemExit as error:  # uvicorn's way to say that it cannot listen
            failed.append(error)

    thread = threading.Thread(target=serve, name="http")
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.01)
    if not server.started:
        raise Refusal("port_taken", f"Cannot listen on {host}:{port}.", next_step="Choose another TOKENS_HTTP_PORT.")
    bound = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://{host}:{bound}"
    finally:
        server.should_exit = True
        thread.join()


def wait_for_signal() -> None:
    """Block until the process is asked to stop (SIGINT, SIGTERM)."""
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    asked.wait()
