"""The names that exporters have for what was used, told in those that `cloudevents.Data` reads.

The conventions were renamed more than once, and exporters add names of their own (docs/decisions/0025). A count under
a name that no one here knows is kept under that name: no price list has a price for it, so its event waits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from handlers.decoding import Dialect, unfit
from handlers.usage.formats import MAX_COUNT

if TYPE_CHECKING:
    from collections.abc import Iterable

GENAI, OURS = "gen_ai.usage.", "tokens_bot.usage."
INPUT, OUTPUT, TOTAL = f"{GENAI}input_tokens", f"{GENAI}output_tokens", f"{GENAI}total_tokens"
CACHE_READ, CACHE_WRITE = f"{GENAI}cache_read.input_tokens", f"{GENAI}cache_write.input_tokens"
CACHE_WRITE_1H = f"{OURS}cache_creation_1h.input_tokens"
REASONING = f"{GENAI}reasoning.output_tokens"
AUDIO_INPUT, AUDIO_READ, AUDIO_OUTPUT = (f"{OURS}audio_{kind}_tokens" for kind in ("input", "cache_read", "output"))
IMAGE_INPUT, IMAGE_READ, IMAGE_OUTPUT = (f"{OURS}image_{kind}_tokens" for kind in ("input", "cache_read", "output"))
VIDEO_INPUT, VIDEO_OUTPUT = f"{OURS}video_input_tokens", f"{OURS}video_output_tokens"
SEARCHES, MAP_SEARCHES = f"{OURS}searches", f"{OURS}map_searches"
AUDIO_SECONDS, VIDEO_SECONDS, PAGES = f"{OURS}audio_seconds", f"{OURS}video_seconds", f"{OURS}pages"
OTHER = f"{OURS}other"

ALIASES: dict[str, tuple[str, ...]] = {
    TOTAL: ("details.total_tokens",),
    CACHE_READ: (
        *("cache_read_input_tokens", "cache_read_tokens", "cached_tokens", "cached_input_tokens"),
        *("input_tokens.cached", "input_cached_tokens", "prompt_details.cache_read"),
        *("prompt_tokens_details.cached_tokens", "prompt_tokens_details.cache_read"),
        *("input_tokens_details.cached_tokens", "details.cached_tokens", "details.cached_content_tokens"),
        *("details.cache_read_tokens", "details.cache_read_input_tokens", "details.num_cached_tokens"),
    ),
    CACHE_WRITE: (
        *("cache_write_input_tokens", "cache_creation_input_tokens", "cache_write_tokens", "cache_creation_tokens"),
        *("input_tokens.cache_write", "input_cache_creation", "prompt_details.cache_write"),
        *("prompt_tokens_details.cache_write", "prompt_tokens_details.cache_creation_tokens"),
        *("input_tokens_details.cache_write_tokens", "details.cache_write_tokens"),
        *("details.cache_creation_tokens", "details.cache_creation_input_tokens"),
    ),
    CACHE_WRITE_1H: ("details.ephemeral_1h_input_tokens",),
    REASONING: (
        *("reasoning_tokens", "reasoning_output_tokens", "output_tokens.reasoning", "completion_details.reasoning"),
        *("completion_tokens_details.reasoning_tokens", "completion_tokens_details.reasoning"),
        *("output_tokens_details.reasoning_tokens", "details.reasoning_tokens"),
        *("details.thoughts_tokens", "details.thinking_tokens"),
    ),
    AUDIO_INPUT: (
        *("audio.input_tokens", "input_audio_tokens", "details.input_audio_tokens", "details.audio_prompt_tokens"),
        *("prompt_details.audio", "prompt_tokens_details.audio_tokens"),
    ),
    AUDIO_READ: ("audio.cache_read.input_tokens", "details.cache_audio_read_tokens", "details.audio_cache_tokens"),
    AUDIO_OUTPUT: (
        *("audio.output_tokens", "output_audio_tokens", "details.output_audio_tokens", "completion_details.audio"),
        *("completion_tokens_details.audio_tokens", "completion_tokens_details.audio"),
        *("details.audio_candidates_tokens", "details.audio_response_tokens", "details.audio_tokens"),
    ),
    IMAGE_INPUT: ("image.input_tokens", "details.input_image_tokens", "details.image_prompt_tokens"),
    IMAGE_READ: ("image.cache_read.input_tokens", "details.cache_image_read_tokens", "details.image_cache_tokens"),
    IMAGE_OUTPUT: (
        *("image.output_tokens", "details.output_image_tokens", "details.image_candidates_tokens"),
        *("details.image_response_tokens", "details.image_tokens"),
    ),
    VIDEO_INPUT: ("video.input_tokens", "details.input_video_tokens", "details.video_prompt_tokens"),
    VIDEO_OUTPUT: (
        *("video.output_tokens", "details.output_video_tokens", "details.video_candidates_tokens"),
        *("details.video_response_tokens", "details.video_tokens"),
    ),
    SEARCHES: (
        *("web_search_requests", "details.web_search_requests", "server_tool_use.web_search_requests"),
        "details.server_side_tools_web_search",
    ),
    AUDIO_SECONDS: ("details.prompt_audio_seconds",),
}
"""Our name, and what follows `gen_ai.usage.` in other names for it; where several are told, the first one counts."""

NOT_COUNTS = frozenset(
    {"cost", "total_cost", "input_cost", "output_cost", "token_type", "experimental.reasoning_tokens_limit"}
)
"""What the sender reckons it cost, since prices are ours; and what a call was allowed."""

PARTS = frozenset(
    {
        *("text.input_tokens", "text.output_tokens", "text.cache_read.input_tokens"),
        *("details.text_prompt_tokens", "details.text_candidates_tokens", "details.text_cache_tokens"),
        *("details.input_tokens", "details.output_tokens", "details.prompt_tokens", "details.completion_tokens"),
        *("details.accepted_prediction_tokens", "details.rejected_prediction_tokens", "details.message_iterations"),
        *("completion_tokens_details.accepted_prediction_tokens", "prompt_tokens_details.text_tokens"),
        *("completion_tokens_details.rejected_prediction_tokens", "completion_tokens_details.text_tokens"),
        *("details.text_tokens", "details.input_text_tokens", "details.output_text_tokens"),
        *("details.text_response_tokens", "details.document_prompt_tokens", "details.document_cache_tokens"),
        *("details.video_cache_tokens", "details.tool_use_prompt_tokens", "details.text_tool_use_prompt_tokens"),
        *("details.image_tool_use_prompt_tokens", "details.document_tool_use_prompt_tokens"),
        *("details.compaction_iterations", "details.compaction_input_tokens", "details.compaction_output_tokens"),
        *("details.compaction_cache_read_input_tokens", "details.compaction_cache_creation_input_tokens"),
        "experimental.system_instruction_tokens",
    }
)
"""What the totals hold already, and what is billed as they are."""

_READ_AS = {GENAI + alias: name for name, aliases in ALIASES.items() for alias in aliases}
_RANK = {alias: rank for rank, alias in enumerate(_READ_AS)}
_SAID_ELSEWHERE = frozenset(GENAI + name for name in NOT_COUNTS | PARTS)
_COSTS = tuple(f"{GENAI}{name}." for name in ("cost", "cost_details"))


def dialect(fields: Iterable[str]) -> Dialect:
    """How events are told in the names of `fields`; those that use no others are known by one quick look."""
    own = [name for name in fields if is_usage(name)]
    tails = "|".join(re.escape(name.partition(".usage.")[2]) for name in own)
    # The names that are ours end the comparison soonest, and those at the head of `fields` first of all.
    others = re.compile(rf'\.usage\.(?!(?:{tails})")(?:(?<="gen_ai\.usage\.)|(?<="tokens_bot\.usage\.))'.encode())
    return Dialect(lambda body: others.search(body) is None, lambda raw: _translated(raw, frozenset(own)))


def _translated(raw: bytes, own: frozenset[str]) -> bytes:
    """An event in our names; as it is where it is no event, which the decoder will tell better."""
    try:
        event = msgspec.json.decode(raw, type=dict[str, Raw])
        data = msgspec.json.decode(event["data"], type=dict[str, Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
        return raw
    ours: dict[str, Any] = {name: value for name, value in data.items() if name in own or not is_usage(name)}
    ours |= _aliased(data)
    if others := _unknown(data, own):
        ours[OTHER] = others
    return msgspec.json.encode(event | {"data": ours})


def is_usage(name: str) -> bool:
    return name.startswith((GENAI, OURS))


def _aliased(data: dict[str, Raw]) -> dict[str, int]:
    """What other names say, where our own are silent."""
    found: dict[str, int] = {}
    for alias in sorted(data.keys() & _READ_AS.keys(), key=_RANK.__getitem__):
        name, count = _READ_AS[alias], _count(alias, data[alias])
        if count is not None and name not in found and bytes(data.get(name, b"null")) == b"null":
            found[name] = count
    return found


def _unknown(data: dict[str, Raw], own: frozenset[str]) -> dict[str, int]:
    """The counts under names that no one here knows; one that counted nothing asks for no price."""
    found: dict[str, int] = {}
    for name, value in data.items():
        if not is_usage(name) or name in own or name in _READ_AS or name in _SAID_ELSEWHERE or name.startswith(_COSTS):
            continue
        if count := _count(name, value):
            found[name] = count
    return found


def _count(name: str, raw: Raw) -> int | None:
    value = msgspec.json.decode(raw)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or (type(value) is int and 0 <= value <= MAX_COUNT):
        return value
    raise unfit(f'data."{name}"', f"an integer from 0 to {MAX_COUNT}", value)
