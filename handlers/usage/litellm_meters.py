"""From the usage that LiteLLM reports to meters: each token in one of them, once, wherever it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from handlers.decoding import MAX_NAME
from handlers.usage.formats import MAX_COUNT, disjoint_meters

if TYPE_CHECKING:
    from policy.metering import Meters

Name = Annotated[str, Meta(max_length=MAX_NAME)] | None
Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)] | None


class _CacheWrites(Struct, gc=False):
    ephemeral_5m_input_tokens: Count = None
    ephemeral_1h_input_tokens: Count = None
    ephemeral_12h_input_tokens: Count = None


class _InputDetails(Struct, gc=False):
    cached_tokens: Count = None
    cache_creation_tokens: Count = None
    cache_write_tokens: Count = None
    cache_creation_token_details: _CacheWrites | None = None
    audio_tokens: Count = None
    image_tokens: Count = None
    web_search_requests: Count = None


class _OutputDetails(Struct, gc=False):
    audio_tokens: Count = None
    image_tokens: Count = None


class _ServerTools(Struct, gc=False):
    web_search_requests: Count = None


class Usage(Struct, gc=False):
    """`usage_object`: chat completions' names, and those of `/v1/responses` and `/v1/messages` passed through."""

    prompt_tokens_details: _InputDetails | None = None
    input_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None
    output_tokens_details: _OutputDetails | None = None
    input_tokens: Count = None
    output_tokens: Count = None
    total_tokens: Count = None
    cache_read_input_tokens: Count = None
    cache_creation_input_tokens: Count = None
    server_tool_use: _ServerTools | None = None
    service_tier: Name = None
    speed: Name = None
    inference_geo: Name = None


class _Item(Struct, gc=False):
    type: Any = None


class _Output(Struct, gc=False):
    output: list[_Item] | None = None


_OUTPUT = msgspec.json.Decoder(_Output)
_NO_WRITES, _NO_TOOLS, _NO_INPUT_DETAILS, _NO_OUTPUT_DETAILS = (
    _CacheWrites(),
    _ServerTools(),
    _InputDetails(),
    _OutputDetails(),
)


def tokens(prompt: int, completion: int, total: int, usage: Usage) -> Meters:
    """Disjoint meters of a call's tokens; empty where none were counted."""
    tokens_in, tokens_out = prompt or usage.input_tokens or 0, completion or usage.output_tokens or 0
    details = usage.prompt_tokens_details or usage.input_tokens_details or _NO_INPUT_DETAILS
    out = usage.completion_tokens_details or usage.output_tokens_details or _NO_OUTPUT_DETAILS
    # Where a count stands in two places it is the same tokens twice.
    read = max(details.cached_tokens or 0, usage.cache_read_input_tokens or 0)
    written_5m, written_1h = _cache_writes(details, usage.cache_creation_input_tokens or 0)
    cached = read + written_5m + written_1h
    if not (tokens_in and tokens_out):
        total = total or usage.total_tokens or 0
        if not (tokens_in or tokens_out or cached):
            return {"undivided_tokens": total} if total else {}
        # What one part leaves of the sum is the other.
        if tokens_out:
            tokens_in = max(total - tokens_out, 0)
        else:
            tokens_out = max(total - max(tokens_in, cached), 0)
    if cached > tokens_in:
        # Anthropic's own way of counting, passed through: the prompt without what the cache did.
        tokens_in += cached
    # Audio may be cached as well; those tokens are in `read` already.
    audio_in = min(details.audio_tokens or 0, tokens_in - cached)
    audio_out = min(out.audio_tokens or 0, tokens_out)
    return disjoint_meters(
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        cache_read=read,
        cache_write_5m=written_5m,
        cache_write_1h=written_1h,
        audio_input=audio_in,
        image_input=min(details.image_tokens or 0, tokens_in - cached - audio_in),
        audio_output=audio_out,
        image_output=min(out.image_tokens or 0, tokens_out - audio_out),
    )


def _cache_writes(details: _InputDetails, written: int) -> tuple[int, int]:
    """Tokens written to the cache for minutes and for hours; what is not told apart counts as the former."""
    kept = details.cache_creation_token_details or _NO_WRITES
    short = kept.ephemeral_5m_input_tokens or 0
    long = (kept.ephemeral_1h_input_tokens or 0) + (kept.ephemeral_12h_input_tokens or 0)
    told = max(written, details.cache_creation_tokens or 0, details.cache_write_tokens or 0, short + long)
    return told - long, long


def searches(usage: Usage, provider: str, model: str, *, tools_cost: float, answer: Raw) -> int:
    """Web searches that the provider made for the call.

    Where they are not counted, but the gateway charges for tools, the answer shows them; without one it is one search,
    as the gateway itself reckons then.
    """
    details = usage.prompt_tokens_details or _NO_INPUT_DETAILS
    told = max((usage.server_tool_use or _NO_TOOLS).web_search_requests or 0, details.web_search_requests or 0)
    if told and model.startswith(("gemini-1", "gemini-2")) and provider != "openrouter":
        # Google charged for grounded prompts before Gemini 3, not for the queries of one.
        return 1
    return told if told or tools_cost <= 0 else _shown(answer)


def _shown(answer: Raw) -> int:
    try:
        output = _OUTPUT.decode(answer).output
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 1
    return 1 if output is None else sum(item.type == "web_search_call" for item in output)
