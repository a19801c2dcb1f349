"""Usage as LiteLLM's `generic_api` callback sends it: StandardLoggingPayloads, about 14 KB each.

Only the fields below are decoded. Messages, headers, addresses, and all of an answer but its service tier, are skipped
and never become Python objects. Tags come from the client, so they may name the project, and no tag can keep an event
from being counted.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeGuard

import msgspec
from msgspec import Meta, Raw, Struct, field

from handlers.decoding import END_OF_TIME, FIRST_INSTANT, MAX_NAME, EventShape, unfit
from handlers.usage.formats import MAX_COUNT, Parsed, disjoint_meters, fingerprint, service_tier
from policy.metering import UsageEvent

if TYPE_CHECKING:
    from policy.metering import Identities, Meters

_Text = Annotated[str, Meta(min_length=1)]
_Name = Annotated[str, Meta(max_length=MAX_NAME)] | None
_Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)] | None

_FIRST_SECOND, _END_OF_SECONDS = FIRST_INSTANT.timestamp(), END_OF_TIME.timestamp()
_PROJECT_TAG = "project:"


class NothingUsed(NamedTuple):
    """A call that failed before anything was bought: there is nothing to take in, and nothing wrong with it."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which no one asks of it
    event_id: str
    detail: str = "failed call, nothing was used"


class _CacheWrites(Struct, gc=False):
    ephemeral_5m_input_tokens: _Count = None
    ephemeral_1h_input_tokens: _Count = None


class _InputDetails(Struct, gc=False):
    cached_tokens: _Count = None
    cache_creation_tokens: _Count = None
    cache_creation_token_details: _CacheWrites | None = None
    audio_tokens: _Count = None
    image_tokens: _Count = None


class _OutputDetails(Struct, gc=False):
    audio_tokens: _Count = None
    image_tokens: _Count = None


class _Usage(Struct, gc=False):
    prompt_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None
    cache_read_input_tokens: _Count = None
    cache_creation_input_tokens: _Count = None


class _Metadata(Struct, gc=False):
    user_api_key_user_email: _Name = None
    user_api_key_user_id: _Name = None
    user_api_key_alias: _Name = None
    user_api_key_team_alias: _Name = None
    user_api_key_team_id: _Name = None
    usage_object: _Usage | None = None


class _Costs(Struct, gc=False):
    service_tier: _Name = None


class _Answer(Struct, gc=False):
    service_tier: Any = None


class _Payload(Struct, gc=False):
    litellm_call_id: _Text
    status: str | None = None
    cache_hit: bool | None = None
    custom_llm_provider: _Name = None
    model: _Name = None
    start_time: float | None = field(name="startTime", default=None)
    end_time: float | None = field(name="endTime", default=None)
    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    request_tags: Raw = Raw(b"null")
    metadata: _Metadata | None = None
    response: Raw = Raw(b"null")
    cost_breakdown: _Costs | None = None


_SHAPE = EventShape(_Payload, "litellm_call_id")
_ANSWER = msgspec.json.Decoder(_Answer | None)
_NO_ANSWER = _Answer()
_NO_METADATA, _NO_USAGE, _NO_WRITES, _NO_COSTS = _Metadata(), _Usage(), _CacheWrites(), _Costs()
_NO_INPUT_DETAILS, _NO_OUTPUT_DETAILS = _InputDetails(), _OutputDetails()


def parse(body: bytes, *, source: str) -> list[Parsed | NothingUsed]:
    """Events of a body in its order; `source` is the gateway, whose payloads do not name it."""
    return _SHAPE.parse(body, partial(_usage_event, source))


def _usage_event(source: str, index: int, payload: _Payload) -> UsageEvent | NothingUsed:
    event_id = _event_id(payload)
    if payload.status == "failure" and not (payload.prompt_tokens or payload.completion_tokens):
        return NothingUsed(index, event_id)
    metadata = payload.metadata or _NO_METADATA
    occurred_at = _occurred_at(payload)
    identities = _identities(metadata)
    provider = payload.custom_llm_provider or ""
    model = (payload.model or "").removeprefix(f"{provider}/")
    provider = provider.lower()
    # The gateway answered from its own cache: the payload repeats the tokens, but nothing was bought.
    meters: Meters = {} if payload.cache_hit else _meters(payload, metadata.usage_object or _NO_USAGE)
    project = _project(payload, metadata)
    tier = _tier(payload)
    digest = fingerprint(occurred_at, identities, provider, model, tier, meters, project)
    return UsageEvent(source, event_id, occurred_at, identities, provider, model, tier, meters, project, digest)


def _event_id(payload: _Payload) -> str:
    """The call's id and the microsecond at which it began, the same each time the payload is sent.

    The id alone will not do: the client may choose it (`x-litellm-call-id`), give every call the same one, and make it
    too long, when it is shortened rather than refused. A failed call and the fallback that answered it share it, too.
    Nor would milliseconds do: calls that are made at the same time begin in the same one.
    """
    call_id = payload.litellm_call_id
    if len(call_id) > MAX_NAME:
        call_id = f"blake2b:{blake2b(call_id.encode(), digest_size=32).hexdigest()}"
    began = next(filter(_possible, (payload.start_time, payload.end_time)), None)
    event_id = call_id if began is None else f"{call_id}@{round(began * 1_000_000)}"
    return f"{event_id}:failure" if payload.status == "failure" else event_id


def _occurred_at(payload: _Payload) -> datetime:
    seconds = payload.end_time or payload.start_time
    if not _possible(seconds):
        raise unfit("endTime", "seconds since 1970, in the years 2000 to 2100", seconds)
    # Rounds to the nearest microsecond, which a float of this size still tells apart.
    return datetime.fromtimestamp(seconds, UTC)


def _possible(seconds: float | None) -> TypeGuard[float]:
    return seconds is not None and _FIRST_SECOND <= seconds < _END_OF_SECONDS


def _identities(metadata: _Metadata) -> Identities:
    """Who the gateway's own key belongs to; `end_user` and the rest of the metadata are what the client claims."""
    email, user, alias = metadata.user_api_key_user_email, metadata.user_api_key_user_id, metadata.user_api_key_alias
    return (
        *((("email", email),) if email else ()),
        *((("user", user),) if user else ()),
        *((("key_alias", alias),) if alias else ()),
    )


def _meters(payload: _Payload, usage: _Usage) -> Meters:
    tokens_in, tokens_out = payload.prompt_tokens or 0, payload.completion_tokens or 0
    details = usage.prompt_tokens_details or _NO_INPUT_DETAILS
    out = usage.completion_tokens_details or _NO_OUTPUT_DETAILS
    # Where a count stands in two places it is the same tokens twice.
    read = max(details.cached_tokens or 0, usage.cache_read_input_tokens or 0)
    written_5m, written_1h = _cache_writes(details, usage.cache_creation_input_tokens or 0)
    cached = read + written_5m + written_1h
    if cached > tokens_in:
        # Anthropic's own way of counting, passed through: the prompt without what the cache did.
        tokens_in += cached
    # Audio may be cached as well; those tokens are in `read` already.
    audio_in = min(details.audio_tokens or 0, tokens_in - cached)
    audio_out = min(out.audio_tokens or 0, tokens_out)
    meters = disjoint_meters(
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
    # Images, speech and tools are answered without a count, but not for nothing: a request has its price or waits.
    return meters or {"requests": 1}


def _cache_writes(details: _InputDetails, written: int) -> tuple[int, int]:
    """Tokens written to the cache for five minutes and for an hour; what is not told apart counts as the former."""
    kept = details.cache_creation_token_details or _NO_WRITES
    short, long = kept.ephemeral_5m_input_tokens or 0, kept.ephemeral_1h_input_tokens or 0
    return max(written, details.cache_creation_tokens or 0, short + long) - long, long


def _project(payload: _Payload, metadata: _Metadata) -> str:
    """The first usable `project:NAME` tag, else the team of the key."""
    tags = bytes(payload.request_tags)
    if _PROJECT_TAG.encode() in tags:
        for tag in _decoded_tags(tags):
            name = tag.removeprefix(_PROJECT_TAG).strip() if tag.startswith(_PROJECT_TAG) else ""
            if name and len(name) <= MAX_NAME and "\0" not in name:
                return name
    return metadata.user_api_key_team_alias or metadata.user_api_key_team_id or ""


def _tier(payload: _Payload) -> str:
    """The tier that the provider says it served, else the one by which the gateway reckoned.

    What the client asked for says nothing: providers serve another tier when that one is full.
    """
    named = _answered_tier(payload.response) or (payload.cost_breakdown or _NO_COSTS).service_tier
    return service_tier(named) if named else ""


def _answered_tier(raw: Raw) -> str | None:
    """The tier in an answer, which may be a text or null where the gateway logs no answers."""
    try:
        tier = (_ANSWER.decode(raw) or _NO_ANSWER).service_tier
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if tier is None or (isinstance(tier, str) and len(tier) <= MAX_NAME and "\0" not in tier):
        return tier
    raise unfit("response.service_tier", f"at most {MAX_NAME} characters without NUL", tier)


def _decoded_tags(raw: bytes) -> list[str]:
    try:
        tags = msgspec.json.decode(raw, type=list[Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    return [tag for tag in tags if isinstance(tag, str)]
