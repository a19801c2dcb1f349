"""A server on this machine that refuses every call in one of several ways, and counts how often it is asked."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGE = (
    "Budget limit reached: the cap 'wallet' has 0 of 300 tokens left until 1 December 2026. "
    "Do not retry: ask for more in Slack with /tokens request."
)
ERROR = {"type": "budget_exceeded", "code": "wallet_empty", "message": MESSAGE}
ASKING = ("/chat/completions", "/responses", "/messages")
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
            if not self.path.partition("?")[0].endswith(ASKING):
                self._send(404, {}, b"{}")
                return
            state.asked[path, client] += 1
            self._send(ways[path].status, ways[path].headers, json.dumps({"error": ERROR}).encode())

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
