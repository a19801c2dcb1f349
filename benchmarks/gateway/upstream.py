"""The providers of the trial, on this machine: an OpenAI and an Anthropic that answer alike and report fixed usage.

Every answer has the same id, because a provider's id need not be unique.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from benchmarks.gateway import stored

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENAI_USAGE = {
    "prompt_tokens": 1_200,
    "completion_tokens": 300,
    "total_tokens": 1_500,
    "prompt_tokens_details": {"cached_tokens": 1_000},
    "completion_tokens_details": {"reasoning_tokens": 200},
}
ANTHROPIC_INPUT = {"input_tokens": 400, "cache_read_input_tokens": 1_000, "cache_creation_input_tokens": 200}
ANTHROPIC_OUTPUT = {"output_tokens": 250}
SEARCHES = 3
WORDS = ("Good ", "morning.")

Json = dict[str, Any]


class _Providers(BaseHTTPRequestHandler):
    """One connection a request: an answer, or the end of a stream, is where it closes."""

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/openai/v1/files":
            self._send(stored.FILE)
            return
        body = json.loads(content)
        if self.path == "/openai/v1/chat/completions":
            self._send(_openai_chunks(body) if body.get("stream") else _openai_answer(body))
        elif self.path == "/anthropic/v1/messages":
            self._send(_anthropic_events(body) if body.get("stream") else _anthropic_answer(body))
        elif self.path == "/openai/v1/batches":
            self._send(stored.begin_batch())
        elif self.path == "/openai/v1/responses":
            self._send(stored.response_events(body) if body.get("stream") else stored.response(body))
        else:
            self._send({"error": {"message": "out of order", "type": "server_error"}}, status=500)

    def do_GET(self) -> None:
        _, _, path = self.path.partition("/openai/v1/")
        kind, _, name = path.partition("?")[0].partition("/")
        if kind == "files":
            self._send(stored.file(name))
        elif kind == "batches":
            self._send(stored.look_at_batch(name))
        elif kind == "responses":
            self._send(stored.look_at_response(name))
        else:
            self._send({"error": {"message": "not found", "type": "not_found_error"}}, status=404)

    def _send(self, content: Json | list[bytes], *, status: int = 200) -> None:
        streamed = isinstance(content, list)
        self.send_response(status)
        self.send_header("content-type", "text/event-stream" if streamed else "application/json")
        self.end_headers()
        for part in content if isinstance(content, list) else [json.dumps(content).encode()]:
            self.wfile.write(part)
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Nothing: the trial prints what matters."""


def _openai_answer(body: Json) -> Json:
    message = {"role": "assistant", "content": "".join(WORDS)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return _openai(body, "chat.completion", choices=[choice], usage=OPENAI_USAGE)


def _openai_chunks(body: Json) -> list[bytes]:
    deltas: list[tuple[Json, str | None]] = [({"role": "assistant", "content": word}, None) for word in WORDS]
    chunks = [
        _openai(body, "chat.completion.chunk", choices=[{"index": 0, "delta": delta, "finish_reason": reason}])
        for delta, reason in [*deltas, ({}, "stop")]
    ]
    # As the real one: without this option a stream says nothing of its usage.
    if (body.get("stream_options") or {}).get("include_usage"):
        chunks.append(_openai(body, "chat.completion.chunk", choices=[], usage=OPENAI_USAGE))
    return [*(b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in chunks), b"data: [DONE]\n\n"]


def _openai(body: Json, kind: str, **rest: object) -> Json:
    return {"id": "chatcmpl-same", "object": kind, "created": int(time.time()), "model": body["model"], **rest}


def _anthropic_answer(body: Json) -> Json:
    content = [{"type": "text", "text": "".join(WORDS)}]
    usage = ANTHROPIC_INPUT | ANTHROPIC_OUTPUT | _asked_for(body)
    return _anthropic(body, content=content, stop_reason="end_turn", usage=usage)


def _anthropic_events(body: Json) -> list[bytes]:
    message = _anthropic(body, content=[], stop_reason=None, usage=ANTHROPIC_INPUT | {"output_tokens": 1})
    events: list[Json] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}} for word in WORDS),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": ANTHROPIC_OUTPUT | _asked_for(body)},
        {"type": "message_stop"},
    ]
    return [b"event: %b\ndata: %b\n\n" % (event["type"].encode(), json.dumps(event).encode()) for event in events]


def _asked_for(body: Json) -> Json:
    """What else the usage tells: the speed and region that were served, and searches."""
    told = {"speed": body["speed"]} if body.get("speed") else {}
    if body.get("tools"):
        told |= {"server_tool_use": {"web_search_requests": SEARCHES}}
    return told | ({"inference_geo": body["inference_geo"]} if body.get("inference_geo") else {})


def _anthropic(body: Json, **rest: object) -> Json:
    return {"id": "msg_same", "type": "message", "role": "assistant", "model": body["model"], **rest}


@contextmanager
def listening() -> Iterator[str]:
    """The providers' address, as long as the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Providers)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="providers", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
