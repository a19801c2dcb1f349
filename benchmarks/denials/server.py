"""A server on this machine that refuses every call in one of several ways, and counts how often it is asked."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from handlers.holds import answers
from policy.caps import WALLET_EMPTY
from policy.units import MicroTokens, NanoUSD
from views.holds import CapTold, Denial

if TYPE_CHECKING:
    from collections.abc import Iterator

EMPTY = CapTold(
    *("wallet", "wallet", "balance", "stop"),
    *(NanoUSD.parse("0.004"), NanoUSD(0), NanoUSD(0), None),
    room_tokens=MicroTokens.parse("0.4"),
)
DENIAL = Denial(WALLET_EMPTY, EMPTY, NanoUSD.parse("0.04"), "gpt-5", "", "call", "")
ERROR = answers.error(DENIAL, ZoneInfo("UTC"))
"""Word for word what the bot answers, but for the status and the headers."""
ASKING = ("/chat/completions", "/responses", "/messages", ":generateContent", ":streamGenerateContent")
"""Ends of the paths that ask a model; agents look for lists of models and the like as well."""


@dataclass(frozen=True)
class Way:
    """How a call is refused."""

    status: int
    told: bool = False
    """With `x-should-retry: false`."""
    retry_after: str = ""

    @property
    def path(self) -> str:
        return f"{self.status}-{'told' if self.told else 'untold'}-{self.retry_after or 'never'}"

    @property
    def headers(self) -> dict[str, str]:
        headers = {"x-should-retry": "false"} if self.told else {}
        return headers | ({"retry-after": self.retry_after} if self.retry_after else {})


STATUSES = (402, 403, 429)
WAYS = tuple(Way(status, told, after) for status in STATUSES for told in (False, True) for after in ("", "2"))


@dataclass
class Refusing:
    """Where it listens, and how often each way was asked by each client."""

    url: str = ""
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)

    def base(self, way: Way, client: str) -> str:
        return f"{self.url}/{way.path}/{client}"


def body_for(path: str) -> dict[str, Any]:
    """The denial in the form of the interface that was asked, as LiteLLM hands it on."""
    if path.endswith("/messages"):
        return {"type": "error", "error": ERROR | {"type": "api_error"}}
    return {"error": ERROR}


@contextmanager
def refusing() -> Iterator[Refusing]:
    """Listens as long as the block runs."""
    state = Refusing()
    ways = {way.path: way for way in WAYS}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            _, path, client, *_ = self.path.split("/")
            asked = self.path.partition("?")[0]
            if not asked.endswith(ASKING):
                self._send(404, {}, b"{}")
                return
            state.asked[path, client] += 1
            self._send(ways[path].status, ways[path].headers, json.dumps(body_for(asked)).encode())

        def do_GET(self) -> None:
            self._send(404, {}, b"{}")

        do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

        def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in {"content-type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing: the counts say it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="refusing", daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
