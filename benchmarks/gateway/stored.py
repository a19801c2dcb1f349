"""What the OpenAI of the trial keeps: a file, batches and responses that are ready when one looks at them again."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

Json = dict[str, Any]

USAGE = {
    "input_tokens": 1_200,
    "output_tokens": 300,
    "total_tokens": 1_500,
    "input_tokens_details": {"cached_tokens": 1_000},
    "output_tokens_details": {"reasoning_tokens": 200},
}
CHAT_USAGE = {
    "prompt_tokens": 1_200,
    "completion_tokens": 300,
    "total_tokens": 1_500,
    "prompt_tokens_details": {"cached_tokens": 1_000},
}
LINES = 10
"""Answers in a batch."""

FILE = {"id": "file-in", "object": "file", "bytes": 9, "created_at": 1, "filename": "in.jsonl", "purpose": "batch"}

_numbers = itertools.count(1)
_looks: dict[str, int] = {}
_responses: dict[str, Json] = {}


def file(name: str) -> Json | list[bytes]:
    """A file's description, or a batch's answers."""
    if not name.endswith("/content"):
        return FILE
    answer = {"id": "chatcmpl-same", "object": "chat.completion", "created": 1, "model": "gpt-5", "usage": CHAT_USAGE}
    answer["choices"] = [{"index": 0, "message": {"role": "assistant", "content": "Good."}, "finish_reason": "stop"}]
    lines = [
        {"id": f"line-{n}", "custom_id": str(n), "response": {"status_code": 200, "body": answer}, "error": None}
        for n in range(LINES)
    ]
    return ["\n".join(map(json.dumps, lines)).encode()]


def begin_batch() -> Json:
    return _batch(f"batch_{next(_numbers)}", "validating")


def look_at_batch(name: str) -> Json:
    """In progress at the first look, completed from the second on."""
    _looks[name] = _looks.get(name, 0) + 1
    return _batch(name, "in_progress" if _looks[name] == 1 else "completed")


def _batch(name: str, status: str) -> Json:
    done = LINES if status == "completed" else 0
    return {
        "id": name,
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "input_file_id": "file-in",
        "completion_window": "24h",
        "created_at": int(time.time()),
        "status": status,
        "output_file_id": "file-out" if done else None,
        "request_counts": {"total": LINES, "completed": done, "failed": 0},
    }


def response(body: Json) -> Json:
    """A response; one in the background is queued, and ready at the second look."""
    name = f"resp_{next(_numbers)}"
    made = _response(name, body, "completed")
    _responses[name] = made
    return _response(name, body, "queued") if body.get("background") else made


def look_at_response(name: str) -> Json:
    made = _responses[name]
    _looks[name] = _looks.get(name, 0) + 1
    if made["background"] and _looks[name] == 1:
        return _response(name, made, "in_progress")
    return made


def _response(name: str, body: Json, status: str) -> Json:
    text = {"type": "output_text", "text": "Good.", "annotations": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [text]}
    searched = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    output = [searched, searched, message] if body.get("tools") else [message]
    ready = status == "completed"
    return {
        "id": name,
        "object": "response",
        "created_at": int(time.time()),
        "model": body["model"],
        "status": status,
        "background": bool(body.get("background")),
        "output": output if ready else [],
        "tools": body.get("tools") or [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "usage": USAGE if ready else None,
    }


def response_events(body: Json) -> list[bytes]:
    """A response as a stream: that it began, and that it ended."""
    done = response({**body, "background": False})
    events: list[Json] = [
        {"type": "response.created", "response": {**done, "status": "in_progress", "usage": None, "output": []}},
        {"type": "response.completed", "response": done},
    ]
    return [b"event: %b\ndata: %b\n\n" % (event["type"].encode(), json.dumps(event).encode()) for event in events]
