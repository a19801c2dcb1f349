"""Requests that never end are hung up on; everyone else is served meanwhile."""

from __future__ import annotations

import socket
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING

import httpx
import pytest

from bot import patience, serving
from tests.support import slack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App

SECONDS = 0.4
HEAD = b"POST /v1/usage HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def address(sqlite_app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """Intake alone, with little patience."""
    monkeypatch.setattr(patience, "WHOLE_WITHIN_SECONDS", SECONDS)
    loaded = slack.load({"TOKENS_DATABASE_URL": slack.NO_DATABASE, "TOKENS_HTTP_PORT": "0"})
    with serving.serving(loaded, sqlite_app, ["http"]) as url:
        yield "127.0.0.1", int(url.rpartition(":")[2])


def wait_until_hung_up(connection: socket.socket, drop: bytes) -> None:
    """Sends drop after drop until the other side is gone."""
    begun = time.monotonic()
    connection.settimeout(0.05)
    while time.monotonic() - begun < SECONDS * 20:
        try:
            if drop:
                connection.sendall(drop)
            if connection.recv(65_536) == b"":
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    else:
        pytest.fail("it waits for ever")


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (b"", b""),
        (b"POST /v1/usage HT", b""),
        (HEAD, b"X-A: b\r\n"),
        (HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["nothing", "half a line", "header after header", "a body by drops", "chunk by chunk"],
)
def test_whoever_does_not_come_to_an_end_is_hung_up_on(address: tuple[str, int], begin: bytes, drop: bytes) -> None:
    """A byte now and then keeps no connection open, whichever part of a request it is of."""
    begun = time.monotonic()
    with socket.create_connection(address) as connection:
        if begin:
            connection.sendall(begin)
        with httpx.Client(trust_env=False) as other:
            assert other.get(f"http://{address[0]}:{address[1]}/healthz").status_code == 200
        wait_until_hung_up(connection, drop)
    assert time.monotonic() - begun >= SECONDS


def test_who_is_only_slow_is_served(address: tuple[str, int]) -> None:
    """A request that arrives in pieces, in time, is answered, and so is the next one on the same connection."""
    with socket.create_connection(address) as connection:
        connection.settimeout(5)
        for _ in range(4):
            for piece in (b"GET /healthz HTTP/1.1\r\n", b"Host: x\r\n", b"\r\n"):
                connection.sendall(piece)
                time.sleep(SECONDS / 10)
            # Whole: what is left of one answer would come before the next.
            with HTTPResponse(connection) as answer:
                answer.begin()
                assert (answer.status, bool(answer.read())) == (200, True)


def test_the_server_does_not_say_what_it_is(address: tuple[str, int]) -> None:
    """No header names the server's software."""
    with httpx.Client(trust_env=False) as client:
        assert "server" not in client.get(f"http://{address[0]}:{address[1]}/healthz").headers
