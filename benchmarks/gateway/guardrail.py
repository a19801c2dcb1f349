"""A proxy that asks by its configuration alone, for the plugin's trial."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

PROMPT = "the launch is on Tuesday"
QUESTIONS = {
    "/v1/chat/completions": {"model": "gpt", "messages": [{"role": "user", "content": PROMPT}]},
    "/v1/messages": {"model": "claude", "max_tokens": 100, "messages": [{"role": "user", "content": PROMPT}]},
    "/v1/responses": {"model": "gpt", "input": PROMPT},
}


class Heard(NamedTuple):
    path: str
    status: int
    text: str


def ask(gateway: str, key: str) -> Iterator[Heard]:
    """What each interface of the proxy answers to one call."""
    with httpx.Client(base_url=gateway, headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=60) as one:
        for path, body in QUESTIONS.items():
            answer = one.post(path, json=body)
            yield Heard(path, answer.status_code, answer.text)


class Overheard(logging.Handler):
    """Whatever this process logs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
