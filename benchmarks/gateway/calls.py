"""What people do in the trial, and what it costs by the providers' price lists, worked out apart from the bot."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

Fate = Literal["posted", "held", "nothing used"]

GPT = ("OpenAI API", "gpt-5")
CLAUDE = ("Anthropic API", "claude-sonnet-4-5")
INPUT_TOKENS = {GPT: 1_200, CLAUDE: 1_600}
OUTPUT_TOKENS = {GPT: 300, CLAUDE: 250}
NANO_USD = {
    # 1.25, 0.125 and 10 USD per million: 200 input, 1,000 cached and 300 output tokens.
    GPT: 200 * 1_250 + 1_000 * 125 + 300 * 10_000,
    # 3, 0.30, 3.75 and 15 USD per million: 400 input, 1,000 cached, 200 written to the cache, 250 output tokens.
    CLAUDE: 400 * 3_000 + 1_000 * 300 + 200 * 3_750 + 250 * 15_000,
}
ALIASES = {"gpt": GPT, "claude": CLAUDE}

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Call:
    """One request to the gateway; equal questions are answered from its cache."""

    what: str
    key: str
    model: str
    fate: Fate = "posted"
    question: str = ""
    cached: bool = False
    stream: bool = False
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        return f"{self.key.removeprefix('sk-')}@example.com"

    @property
    def nano_usd(self) -> int:
        return 0 if self.cached or self.fate != "posted" else NANO_USD[ALIASES[self.model]]


SAME_ID = {"x-litellm-call-id": "always-the-same"}
CALLS = (
    Call("OpenAI", "sk-ada", "gpt", question="hello"),
    Call("OpenAI, from the gateway's cache", "sk-ada", "gpt", question="hello", cached=True),
    Call("OpenAI, streamed", "sk-ada", "gpt", stream=True),
    Call("Anthropic", "sk-ada", "claude"),
    Call("Anthropic, streamed", "sk-ada", "claude", stream=True),
    Call("a call id of the client's own", "sk-ada", "gpt", headers=SAME_ID),
    Call("the same call id again", "sk-ada", "gpt", question="once more", headers=SAME_ID),
    Call('claims `"user": "evil"`', "sk-ada", "gpt", extra={"user": "evil"}),
    Call('asks for `"no-log": true`', "sk-ada", "gpt", extra={"no-log": True}),
    Call("claims another provider", "sk-ada", "gpt", fate="held", extra={"custom_llm_provider": "deepseek"}),
    Call("a provider that fails", "sk-ada", "broken", fate="nothing used", status=500),
    Call("a model without a price", "sk-ada", "inhouse", fate="held"),
    Call("a key of nobody we know", "sk-ci", "gpt", fate="held", question="nightly build"),
    Call("OpenAI", "sk-ben", "gpt", question="good evening"),
    Call("Anthropic, streamed", "sk-ben", "claude", question="good night", stream=True),
)


def make(client: httpx.Client, call: Call) -> float:
    """Make a call, read its answer to the end, and say when that was; AssertionError for an unexpected status."""
    body = {
        "model": call.model,
        "messages": [{"role": "user", "content": call.question or call.what}],
        "stream": call.stream,
        **call.extra,
    }
    headers = {"Authorization": f"Bearer {call.key}", **call.headers}
    answer = client.post("/v1/chat/completions", json=body, headers=headers, timeout=PATIENCE_SECONDS)
    assert answer.status_code == call.status, f"{call.what}: {answer.status_code} {answer.text[:500]}"
    return time.perf_counter()
