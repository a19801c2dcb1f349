"""Calls of other kinds than a question: batches, stored responses, searches, fast mode; and what each should cost.

A step makes its requests as Ada does, and says how the bot should answer for what the gateway reports of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.gateway import stored, upstream
from benchmarks.gateway.calls import CLAUDE, GPT, NANO_USD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

OPUS = ("Anthropic API", "claude-opus-5")
OPUS_NANO_USD = 400 * 5_000 + 1_000 * 500 + 200 * 6_250 + 250 * 25_000
"""5, 0.50, 6.25 and 25 USD per million at the usual speed, anywhere."""
SEARCH = 10_000_000
"""Nano-USD: 10 USD per 1,000 at both providers."""
LINE = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-5", "messages": []}}


@dataclass(frozen=True)
class Step:
    """One kind of request; `accepted` counts reports that are answered so although nothing is posted for them."""

    what: str
    make: Callable[[httpx.Client], None]
    nano_usd: int = 0
    line: tuple[str, str] = GPT
    accepted: int = 0
    duplicates: int = 0
    unpayloaded: int = 0
    """Reports that the gateway sends without a payload, and keeps in no journal."""

    @property
    def posted(self) -> int:
        return 1 if self.nano_usd else 0


def _ask(client: httpx.Client, path: str, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - what a request may hold
    answer = client.post(path, json=body).raise_for_status()
    told: dict[str, Any] = {} if body.get("stream") else answer.json()
    return told


def _chat(model: str, question: str, **more: Any) -> Callable[[httpx.Client], None]:  # noqa: ANN401 - the same
    messages = [{"role": "user", "content": question}]
    return lambda client: _ignore(_ask(client, "/v1/chat/completions", model=model, messages=messages, **more))


def _post(path: str, **body: Any) -> Callable[[httpx.Client], None]:  # noqa: ANN401 - the same
    return lambda client: _ignore(_ask(client, path, **body))


def _ignore(_: object) -> None:
    """Only what is reported of an answer matters."""


def _files(client: httpx.Client) -> None:
    files = {"file": ("in.jsonl", json.dumps(LINE).encode() + b"\n")}
    client.post("/v1/files", files=files, data={"purpose": "batch"}).raise_for_status()
    client.get("/v1/files").raise_for_status()


def _batch(client: httpx.Client) -> None:
    """Begun, looked at while it runs, and three times when it is done."""
    begun = _ask(
        client, "/v1/batches", input_file_id="file-in", endpoint="/v1/chat/completions", completion_window="24h"
    )
    for _ in range(4):
        client.get(f"/v1/batches/{begun['id']}").raise_for_status()


def _stored(client: httpx.Client) -> None:
    made = _ask(client, "/v1/responses", model="gpt", input="keep this")
    for _ in range(2):
        client.get(f"/v1/responses/{made['id']}").raise_for_status()


def _background(client: httpx.Client) -> None:
    made = _ask(client, "/v1/responses", model="gpt", input="take your time", background=True)
    for _ in range(3):
        client.get(f"/v1/responses/{made['id']}").raise_for_status()


WEB_SEARCH = [{"type": "web_search_20250305", "name": "web_search"}]
MESSAGE = [{"role": "user", "content": "as a message"}]

STEPS = (
    Step("files and their list", _files, accepted=2, unpayloaded=1),
    # What LiteLLM fetches to reckon a batch's cost is reported as well: a file at each look.
    Step("a batch, looked at four times", _batch, NANO_USD[GPT] * stored.LINES // 2, accepted=5, duplicates=2),
    Step("a response, fetched twice", _stored, NANO_USD[GPT], accepted=2),
    Step("a response in the background", _background, NANO_USD[GPT], accepted=2, duplicates=1),
    Step("a streamed response", _post("/v1/responses", model="gpt", input="slowly", stream=True), NANO_USD[GPT]),
    Step(
        "a response with two searches",
        _post("/v1/responses", model="gpt", input="look it up", tools=[{"type": "web_search_preview"}]),
        NANO_USD[GPT] + 2 * SEARCH,
    ),
    Step(
        "Anthropic with three searches",
        _chat("claude", "look it up", tools=WEB_SEARCH),
        NANO_USD[CLAUDE] + upstream.SEARCHES * SEARCH,
        CLAUDE,
    ),
    Step("fast mode", _chat("opus", "quickly", speed="fast"), 2 * OPUS_NANO_USD, OPUS),
    Step("fast mode, streamed", _chat("opus", "now", speed="fast", stream=True), 2 * OPUS_NANO_USD, OPUS),
    Step("in the US", _chat("opus", "here", inference_geo="us"), OPUS_NANO_USD * 11 // 10, OPUS),
    Step("a fallback", _chat("falls-back", "if need be"), NANO_USD[GPT], accepted=1),
    Step("Anthropic by way of responses", _post("/v1/responses", model="claude", input="hi"), NANO_USD[CLAUDE], CLAUDE),
    Step(
        "OpenAI by way of messages", _post("/v1/messages", model="gpt", max_tokens=99, messages=MESSAGE), NANO_USD[GPT]
    ),
    Step(
        "Anthropic's own messages, streamed",
        _post("/v1/messages", model="claude", max_tokens=99, messages=MESSAGE, stream=True),
        NANO_USD[CLAUDE],
        CLAUDE,
    ),
)
INPUT_TOKENS: Mapping[tuple[str, str], int] = {GPT: 1_200, CLAUDE: 1_600, OPUS: 1_600}
OUTPUT_TOKENS: Mapping[tuple[str, str], int] = {GPT: 300, CLAUDE: 250, OPUS: 250}


def times(step: Step) -> int:
    """How many answers a step's tokens are those of."""
    return stored.LINES if step.make is _batch else 1
