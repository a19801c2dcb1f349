"""Running the bot, or some parts of it: Slack in one of its two modes, HTTP, the clockwork, and a clean stop."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import uvicorn
from slack_sdk import WebClient

from bot import socket_mode
from bot.patience import Impatient
from bot.settings import PARTS
from handlers import http, slack_app
from handlers.slack import board_group, homes
from handlers.slack.routes import Endpoint
from handlers.slack.unlinked import Unlinked
from policy.reasons import Refusal
from scheduler import courier, slack_delivery, ticker
from scheduler.ticker import Presence

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from fastapi import FastAPI

    from bot.settings import Part, Settings
    from programme.app import App
    from scheduler.clockwork import Clockwork

DRAIN_SECONDS = 10


@contextmanager
def serving(settings: Settings, app: App, parts: Collection[Part] = PARTS) -> Iterator[str]:
    """The bot, or some parts of it, in the background of the block; yields the address of its HTTP side.

    Health and metrics are served whatever the parts, and usage is taken in whether or not Slack answers. Leaving the
    block stops the intake first, lets what is under way finish, then closes the connections.
    """
    require_tokens(settings, app, parts)
    signing_secret = None if settings.socket_mode else settings.slack_signing_secret
    with ExitStack() as stack:
        slack = None
        if settings.slack_bot_token and not {"bot", "courier"}.isdisjoint(parts):
            shown = homes.Homes(app, WebClient(token=settings.slack_bot_token, base_url=settings.slack_api_url))
            stack.callback(shown.close)
            app = replace(app, refresh_home=shown.refresh)
        if "bot" in parts:
            slack = slack_app.build(
                app,
                token=settings.slack_bot_token or "",
                signing_secret=signing_secret,
                api_url=settings.slack_api_url,
            )
        presence = Presence(courier.name(), tuple(part for part in PARTS if part in parts), app.clock())
        clockwork = _clockwork(settings, app, presence)
        clockwork.start()
        stack.callback(ticker.leave, app, presence)
        stack.callback(clockwork.stop)
        if slack is not None and settings.socket_mode:
            stack.enter_context(socket_mode.listening(settings, slack, app.vitals))
        api = http.build(
            app,
            slack=Endpoint(slack, signing_secret) if slack is not None and signing_secret else None,
            github_secret=settings.github_webhook_secret,
            parts=presence.parts,
        )
        app.vitals.begin()
        address = stack.enter_context(_http(api, settings.http_host, settings.http_port))
        # Before the intake stops, which waits for requests that are under way.
        stack.callback(app.vitals.stop)
        yield address


def require_tokens(settings: Settings, app: App, parts: Collection[Part]) -> None:
    """Refuse to start without the tokens that some part needs; intake alone needs none."""
    needing = [part for part in ("bot", "courier") if part in parts]
    if app.board_usergroup and "tick" in parts:
        needing.append("tick")
    if needing and not settings.slack_bot_token:
        raise Refusal(
            "no_bot_token",
            "SLACK_BOT_TOKEN is not set.",
            next_step="See docs/operators/README.md, step 2; `tokens-bot run --only http` needs no Slack.",
        )
    if "bot" in parts and not settings.socket_mode and not settings.slack_signing_secret:
        raise Refusal(
            "no_slack_mode",
            "Neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP) is set.",
            next_step="Set one of them.",
        )


def _clockwork(settings: Settings, app: App, presence: Presence) -> Clockwork:
    """The jobs of the parts that have any, not running yet; every process tells that it is there."""
    parts = presence.parts
    token, url = settings.slack_bot_token or "", settings.slack_api_url
    reads_board = "tick" in parts and app.board_usergroup
    links_people = "tick" in parts and token
    return ticker.build(
        app,
        ticking="tick" in parts,
        slack=slack_delivery.client(token, url) if "courier" in parts else None,
        announce_in=settings.announce_channel,
        vendors=settings.vendors,
        read_board=partial(board_group.refresh, app, WebClient(token=token, base_url=url)) if reads_board else None,
        link_people=Unlinked(app, WebClient(token=token, base_url=url)) if links_people else None,
        presence=presence,
    )


@contextmanager
def _http(api: FastAPI, host: str, port: int) -> Iterator[str]:
    server = uvicorn.Server(
        uvicorn.Config(
            api,
            host,
            port,
            http=Impatient,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
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
