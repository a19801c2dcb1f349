"""From the usage that LiteLLM reports to meters: each token in one of them, once, wherever it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from handlers.decoding import MAX_NAME
from handlers.usage.formats import MAX_COUNT, disjoint_meters, without_zeros

if TYPE_CHECKING:
    from policy.metering import Meters

Name = Annotated[str, Meta(max_length=MAX_NAME)] | None
Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)] | None
_Length = Annotated[float, Meta(ge=0, le=MAX_COUNT)] | None


class _CacheWrites(Struct, gc=False):
    ephemeral_5m_input_tokens: Count = None
    ephemeral_1h_input_tokens: Count = None
    ephemeral_12h_input_tokens: Count = None


class _CachedDetails(Struct, gc=False):
    audio_tokens: Count = None
    image_tokens: Count = None


class _InputDetails(Struct, gc=False):
    cached_tokens: Count = None
    cached_tokens_details: _CachedDetails | None = None
    cache_creation_tokens: Count = None
    cache_write_tokens: Count = None
    cache_creation_token_details: _CacheWrites | None = None
    audio_tokens: Count = None
    image_tokens: Count = None
    video_tokens: Count = None
    web_search_requests: Count = None
    google_maps_grounding_requests: Count = None


class _OutputDetails(Struct, gc=False):
    audio_tokens: Count = None
    image_tokens: Count = None
    video_tokens: Count = None


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
    seconds: _Length = None
    duration_seconds: _Length = None
    pages_processed: Count = None
    output_image_count: Count = None
    service_tier: Name = None
    speed: Name = None
    inference_geo: Name = None


class _Item(Struct, gc=False):
    type: Any = None


class _Searched(Struct, gc=False):
    num_requests: Count = None


class _ToolUse(Struct, gc=False):
    web_search: _Searched | None = None


class _Message(Struct, gc=False):
    annotations: list[_Item] | None = None


class _Choice(Struct, gc=False):
    message: _Message | None = None


class _Billed(Struct, gc=False):
    search_units: _Length = None


class _Meta(Struct, gc=False):
    billed_units: _Billed | None = None


class _Answer(Struct, gc=False):
    output: list[_Item] | None = None
    tool_usage: _ToolUse | None = None
    choices: list[_Choice] | None = None
    meta: _Meta | None = None


_LEAST_SECONDS = {"groq": 10}
"""What a provider charges for sound that is shorter."""

_ANSWER = msgspec.json.Decoder(_Answer | None)
_NO_ANSWER, _NO_WRITES, _NO_TOOLS = _Answer(), _CacheWrites(), _ServerTools()
_NO_INPUT_DETAILS, _NO_OUTPUT_DETAILS, _NO_CACHED_DETAILS = _InputDetails(), _OutputDetails(), _CachedDetails()


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
    audio_read, image_read = _cached_media(details, read)
    # Where it is not told how much of them was cached, all that was cached may be of them.
    audio_in, image_in, video_in = _parts(
        tokens_in - cached,
        (details.audio_tokens or 0) - audio_read,
        (details.image_tokens or 0) - image_read,
        details.video_tokens or 0,
    )
    audio_out, image_out, video_out = _parts(
        tokens_out, out.audio_tokens or 0, out.image_tokens or 0, out.video_tokens or 0
    )
    return disjoint_meters(
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        cache_read=read - audio_read - image_read,
        cache_write_5m=written_5m,
        cache_write_1h=written_1h,
        audio_input=audio_in,
        audio_cache_read=audio_read,
        image_input=image_in,
        image_cache_read=image_read,
        video_input=video_in,
        audio_output=audio_out,
        image_output=image_out,
        video_output=video_out,
    )


def _cached_media(details: _InputDetails, read: int) -> tuple[int, int]:
    """Sound and pictures among the tokens that were read from the cache."""
    told = details.cached_tokens_details or _NO_CACHED_DETAILS
    sound = min(told.audio_tokens or 0, read)
    return sound, min(told.image_tokens or 0, read - sound)


def _parts(whole: int, *parts: int) -> list[int]:
    """Parts of a whole, none of them beyond what those before it leave."""
    kept = []
    for part in parts:
        kept.append(min(max(part, 0), whole))
        whole -= kept[-1]
    return kept


def other(usage: Usage, provider: str, answer: Raw) -> Meters:
    """What was counted of a call that has no tokens; one request where nothing was."""
    if seconds := usage.seconds or 0:
        return {"audio_seconds": max(round(seconds), _LEAST_SECONDS.get(provider, 1))}
    if seconds := usage.duration_seconds or 0:
        return {"video_seconds": max(round(seconds), 1)}
    if usage.pages_processed:
        return {"pages": usage.pages_processed}
    meta = _answer(answer).meta
    billed = (meta.billed_units if meta else None) or _Billed()
    return {"requests": max(usage.output_image_count or 0, round(billed.search_units or 0), 1)}


def _cache_writes(details: _InputDetails, written: int) -> tuple[int, int]:
    """Tokens written to the cache for minutes and for hours; what is not told apart counts as the former."""
    kept = details.cache_creation_token_details or _NO_WRITES
    short = kept.ephemeral_5m_input_tokens or 0
    long = (kept.ephemeral_1h_input_tokens or 0) + (kept.ephemeral_12h_input_tokens or 0)
    told = max(written, details.cache_creation_tokens or 0, details.cache_write_tokens or 0, short + long)
    return told - long, long


def searches(usage: Usage, provider: str, model: str, *, tools_cost: float, answer: Raw) -> Meters:
    """Searches of the web and of maps that the provider made for the call.

    Where they are not counted, but the gateway charges for tools, the answer shows them; without one it is one search,
    as the gateway itself reckons then.
    """
    details = usage.prompt_tokens_details or _NO_INPUT_DETAILS
    of_maps = details.google_maps_grounding_requests or 0
    of_web = _of_web(usage, details, provider, model)
    if not (of_web or of_maps) and tools_cost > 0:
        of_web = _shown(_answer(answer))
    return without_zeros({"searches": of_web, "map_searches": of_maps})


def _of_web(usage: Usage, details: _InputDetails, provider: str, model: str) -> int:
    told = max((usage.server_tool_use or _NO_TOOLS).web_search_requests or 0, details.web_search_requests or 0)
    if told and model.startswith(("gemini-1", "gemini-2")) and provider != "openrouter":
        # Google charged for grounded prompts before Gemini 3, not for the queries of one.
        return 1
    return told


def _shown(answer: _Answer) -> int:
    """Web searches that an answer tells, lists as parts or cites; one where it shows nothing of either kind."""
    searched = answer.tool_usage.web_search if answer.tool_usage else None
    if searched and searched.num_requests is not None:
        return searched.num_requests
    if answer.output is not None:
        return sum(item.type == "web_search_call" for item in answer.output)
    cited = {item.type for choice in answer.choices or () for item in _annotations(choice)}
    return 1 if not cited or "url_citation" in cited else 0


def _annotations(choice: _Choice) -> list[_Item]:
    return (choice.message.annotations if choice.message else None) or []


def _answer(raw: Raw) -> _Answer:
    try:
        return _ANSWER.decode(raw) or _NO_ANSWER
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _NO_ANSWER
