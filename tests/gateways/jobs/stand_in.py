"""A server on loopback that speaks the contract of holds as far as a job needs it, and can be away or say no."""

from __future__ import annotations

import contextlib
import json
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

GPU_SECONDS = "tokens_bot.usage.gpu_seconds"
DENIAL = "The cap on your wallet has 12 tokens left, and this needs 7,520. Ask for more with /tokens request."


class StandIn:
    """A token for each GPU second; 1.2 times an estimate is held."""

    def __init__(self) -> None:
        self.room = Decimal(1_000_000)
        self.held = Decimal(0)
        self.is_away = self.is_cancelled = self.is_over = False
        self.events: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.finals = 0
        self.points_to = ""

    @property
    def used(self) -> int:
        return sum(event["data"][GPU_SECONDS] for event in self.events.values())

    def answer(self, path: str, query: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append((path, body))
        if self.is_away:
            return 503, {"detail": "away"}
        if path == "/v1/usage":
            self.events[body["id"]] = body
            return 200, {"results": [{"status": "accepted"}]}
        answers = {"holds": self._holds, "extend": self._extend, "settle": self._settle, "release": self._release}
        return answers[path.rsplit("/", 1)[-1]](query, body)

    def _holds(self, _query: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.is_over:
            return 200, {"id": body["id"], "status": "settled", "tokens": "0"}
        return self._hold(body["estimate"], body["id"])

    def _hold(self, estimate: dict[str, Any], id_: str) -> tuple[int, dict[str, Any]]:
        wanted = Decimal(estimate[GPU_SECONDS]) * Decimal("1.2")
        if wanted > self.room:
            return 402, {"error": {"type": "budget_exceeded", "code": "wallet", "message": DENIAL}}
        self.held = wanted
        told = {"id": id_, "status": "held", "tokens": str(wanted), "source": "cluster"}
        return 200, told | {"provider": "gpu-cluster", "model": "H100"}

    def _extend(self, _query: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.is_cancelled:
            return 409, {"detail": "cancelled: Somebody ended it."}
        if "estimate" in body:
            return self._hold(body["estimate"], "job")
        return 200, {"id": "job", "status": "held", "tokens": str(self.held)}

    def _settle(self, query: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if body["id"] not in self.events:
            self.room -= body["data"][GPU_SECONDS]
            self.held = max(self.held - body["data"][GPU_SECONDS], Decimal(0))
        self.events[body["id"]] = body
        if query != "final=false":
            self.finals += 1
            self.held = Decimal(0)
        left = {"id": "job", "status": "held", "tokens": str(self.held)}
        return 200, {"results": [{"status": "accepted", "hold": left}]}

    def _release(self, _query: str, _body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.held = Decimal(0)
        return 200, {"id": "job", "status": "released"}


@contextlib.contextmanager
def serving() -> Iterator[tuple[StandIn, str]]:
    """The stand-in and its address."""
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if stand_in.points_to:
                self.send_response(302)
                self.send_header("Location", stand_in.points_to)
                self.end_headers()
                return
            parts = urlsplit(self.path)
            status, told = stand_in.answer(parts.path, parts.query, body)
            raw = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stand_in, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
