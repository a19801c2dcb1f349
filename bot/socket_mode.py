"""Socket Mode: a connection that Slack may refuse at the start, and that is tried again as long as Slack is away."""

from __future__ import annotations

import json
import logging
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from policy.reasons import Refusal
from programme.vitals import BOT
from scheduler import slack_delivery, troubles
from scheduler.slack_delivery import NoAnswerError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from slack_bolt import App as Bolt
    from slack_sdk.socket_mode.builtin.client import SocketModeClient
    from slack_sdk.socket_mode.client import BaseSocketModeClient
    from slack_sdk.web import SlackResponse

    from bot.settings import Settings
    from programme.vitals import Vitals

logger = logging.getLogger(__name__)

SEE_DOCTOR = "See `tokens-bot doctor`."
FIRST_ANSWER_SECONDS = 5.0
"""So long the start waits for Slack's word on the tokens; everything else then starts without it."""
PATIENCE_SECONDS = 10
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0
A_WORD = re.compile(r"[a-z][a-z0-9_]*")
PASSING = troubles.PASSING | {"ratelimited", "rate_limited"}


@contextmanager
def listening(settings: Settings, slack: Bolt, vitals: Vitals) -> Iterator[None]:
    """The connection, kept up in the background of the block.

    A Refusal `slack_refused` if Slack refuses the tokens while the start waits for it. A Slack that is away, or whose
    answer is none, is tried again until the block ends.
    """
    web = _Watched(settings.slack_bot_token, base_url=settings.slack_api_url, timeout=PATIENCE_SECONDS)
    web.vitals = vitals
    handler = SocketModeHandler(slack, settings.slack_app_token, web_client=web)
    _watch(handler.client, vitals)
    _notice_ends(handler.client)
    connecting = _Connecting(handler)
    try:
        connecting.start()
        yield
    finally:
        connecting.stop()
        _finish_answers(handler.client)
        end_session(handler.client)
        handler.close()  # type: ignore[no-untyped-call]  # Bolt left it untyped


class _Watched(WebClient):
    """Notes what stands in the way of a connection, also when the library asks for a new one by itself."""

    vitals: Vitals

    def apps_connections_open(self, *, app_token: str, **more: Any) -> SlackResponse:  # noqa: ANN401 - the library's
        try:
            return slack_delivery.answer_of(super().apps_connections_open, app_token=app_token, **more)
        except (SlackClientError, OSError) as error:
            if self.vitals.ailing(BOT, word_of(error)):
                logger.warning("no connection to Slack: %s", word_of(error))
            if isinstance(error, SlackApiError) and not isinstance(error.response.data, dict):
                # The library looks for a code in it, stumbles, and its thread would end for good.
                raise NoAnswerError("what came back is no answer of Slack's") from error
            raise


def word_of(error: Exception) -> str:
    """What stands in the way, in one word: Slack's own, or `certificate`, or `no_answer`."""
    return refusal_of(error) or (troubles.CERTIFICATE if troubles.is_certificate(error) else troubles.NO_ANSWER)


def refusal_of(error: Exception) -> str:
    """The word with which Slack itself refuses; nothing where it is away, or somebody else answers for it."""
    if not isinstance(error, SlackApiError) or getattr(error.response, "status_code", 200) != 200:  # noqa: PLR2004 - HTTP's
        return ""
    code = str(error.response.get("error"))
    return code if A_WORD.fullmatch(code) and code not in PASSING else ""


def _watch(client: SocketModeClient, vitals: Vitals) -> None:
    def told(message: str) -> None:
        if '"envelope_id"' in message:
            vitals.envelope()
        elif message.startswith("{") and json.loads(message).get("type") == "hello":
            vitals.hello()

    def failed(error: Exception) -> None:
        vitals.ailing(BOT, word_of(error))

    vitals.expect_link(client.is_connected)
    client.on_message_listeners.append(told)
    client.on_error_listeners.append(failed)


class _Socket:
    """A socket whose end is an error.

    The library takes it for silence: it would ask again without a pause, and be deaf, until its fifth ping failed.
    """

    def __init__(self, socket: Any) -> None:  # noqa: ANN401 - plain or TLS
        self._socket = socket

    def recv(self, size: int) -> bytes:
        received: bytes = self._socket.recv(size)
        if not received:
            raise ConnectionResetError("The connection has ended without a word.")
        return received

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a socket has
        return getattr(self._socket, name)


def _notice_ends(client: SocketModeClient) -> None:
    """Whenever the client connects, also by itself."""
    connect = client.connect

    def connect_and_notice() -> None:
        connect()
        session = client.current_session
        if session is not None:
            # The lock under which the library forgets a socket: one that it has closed is not to come back.
            with session.sock_send_lock:
                if session.sock is not None:
                    session.sock = cast("ssl.SSLSocket", _Socket(session.sock))

    client.connect = connect_and_notice  # type: ignore[method-assign]  # the library makes the client itself


class _Connecting:
    """The first connection, tried until it is there; from then on the library comes back by itself."""

    def __init__(self, handler: SocketModeHandler) -> None:
        self._handler = handler
        self._stopping, self._tried = threading.Event(), threading.Event()
        self._refused = ""
        self._thread = threading.Thread(target=self._run, name="socket-mode", daemon=True)

    def start(self) -> None:
        """Begin, and wait a moment for Slack's word: a wrong token is told at once."""
        self._thread.start()
        if self._tried.wait(FIRST_ANSWER_SECONDS) and self._refused:
            raise Refusal("slack_refused", f"Slack refuses Socket Mode: {self._refused}.", next_step=SEE_DOCTOR)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(PATIENCE_SECONDS)

    def _run(self) -> None:
        wait = FIRST_WAIT_SECONDS
        while not self._stopping.is_set():
            if self._connect():
                return
            self._tried.set()
            self._stopping.wait(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    def _connect(self) -> bool:
        try:
            self._handler.connect()  # type: ignore[no-untyped-call]  # the same
        except (SlackClientError, OSError) as error:
            self._refused = refusal_of(error)
            return False
        self._tried.set()
        return True


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
