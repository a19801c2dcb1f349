"""Usage as LiteLLM's `generic_api` callback sends it: StandardLoggingPayloads, about 14 KB each.

Only the fields below are decoded. Messages, headers, addresses, and what an answer says, are skipped and never become
Python objects. Tags come from the client, so they may name the project, and no tag can keep an event
from being counted.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from sys import intern
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeGuard

import msgspec
from msgspec import Meta, Raw, Struct, field

from handlers.decoding import END_OF_TIME, FIRST_INSTANT, MAX_ID, MAX_NAME, EventShape, Rejected, unfit
from handlers.usage import litellm_calls as calls
from handlers.usage import litellm_meters
from handlers.usage.formats import MAX_COUNT, Parsed, fingerprint, service_tier
from handlers.usage.litellm_meters import Count, Name, Usage
from policy.metering import HoldRef, Remarks, UsageEvent, Work
from policy.units import NANO_PER_USD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from policy.metering import Identities, Meters

_Text = Annotated[str, Meta(min_length=1)]

_FIRST_SECOND, _END_OF_SECONDS = FIRST_INSTANT.timestamp(), END_OF_TIME.timestamp()
_PROJECT_TAG = "project:"


class NothingUsed(NamedTuple):
    """A call that bought nothing: there is nothing to take in, and nothing wrong with it."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which no one asks of it
    event_id: str
    detail: str = "failed call, nothing was used"


class KeyMetadata(Struct, gc=False):
    """Whose key it is, as the proxy knows it."""

    user_api_key_user_email: Name = None
    user_api_key_user_id: Name = None
    user_api_key_alias: Name = None
    user_api_key_team_alias: Name = None
    user_api_key_team_id: Name = None


class _Metadata(KeyMetadata, gc=False):
    usage_object: Usage | None = None


class _Costs(Struct, gc=False):
    service_tier: Name = None
    tool_usage_cost: float | None = None
    guardrail_cost: float | None = None
    discount_amount: float | None = None
    margin_total_amount: float | None = None
    additional_costs: Any = None


class _Answer(Struct, gc=False):
    service_tier: Any = None
    background: Any = None
    status: Any = None
    created_at: Any = None
    model: Any = None
    trained_tokens: Any = None
    output: Raw = Raw(b"null")


class _Part(Struct, gc=False):
    id: Any = None


class _PriceListEntry(Struct, gc=False):
    model_map_key: Name = None


class _Hidden(Struct, gc=False):
    batch_models: Any = None


class _Payload(Struct, gc=False):
    litellm_call_id: _Text
    answer_id: str | None = field(name="id", default=None)
    call_type: str = ""
    status: str | None = None
    cache_hit: bool | None = None
    custom_llm_provider: Name = None
    model: Name = None
    start_time: float | None = field(name="startTime", default=None)
    end_time: float | None = field(name="endTime", default=None)
    prompt_tokens: Count = None
    completion_tokens: Count = None
    total_tokens: Count = None
    request_tags: Raw = Raw(b"null")
    metadata: _Metadata | None = None
    response: Raw = Raw(b"null")
    response_cost: float | None = None
    cost_breakdown: _Costs | None = None
    model_map_information: _PriceListEntry | None = None
    hidden_params: _Hidden | None = None
    hold: Annotated[str, Meta(min_length=1, max_length=MAX_ID)] | None = None
    """Ours: the plugin says here under which hold the call ran."""


_SHAPE = EventShape(_Payload, "litellm_call_id")
_ANSWER = msgspec.json.Decoder(_Answer | None)
_PARTS = msgspec.json.Decoder(list[_Part] | None)
_NO_ANSWER = _Answer()
_NO_METADATA, _NO_USAGE, _NO_COSTS, _NO_ENTRY = _Metadata(), Usage(), _Costs(), _PriceListEntry()

_NULL = "event: expected an object, got null"
_NO_PAYLOAD = "the gateway made no payload for this call, as it does for listings"

ROUTER = "router"
_EVERYWHERE = frozenset({"", "global", "not_available"})
_DEPLOYING = frozenset({"azure", "azure_ai", "bedrock", "bedrock_converse", "vertex_ai", "sagemaker", "databricks"})
"""Providers with whom companies give models names of their own."""
_UNDER_WAY = frozenset({"queued", "in_progress"})
_LARGEST_QUOTE = 1_000_000
"""USD; what is above is no price of one call."""


def parse(body: bytes, *, source: str) -> list[Parsed | NothingUsed]:
    """Events of a body in its order; `source` is the gateway, whose payloads do not name it."""
    results = _SHAPE.parse(body, partial(_usage_event, source))
    return [NothingUsed(one[0], "", _NO_PAYLOAD) if _is_null(one) else one for one in results]


def _is_null(result: Parsed | NothingUsed) -> TypeGuard[Rejected]:
    return type(result) is Rejected and result.detail == _NULL


def _usage_event(source: str, index: int, payload: _Payload) -> UsageEvent | NothingUsed:
    event_id = _event_id(payload)
    if payload.status == "failure" and not (payload.prompt_tokens or payload.completion_tokens):
        return NothingUsed(index, event_id)
    metadata = payload.metadata or _NO_METADATA
    usage = metadata.usage_object or _NO_USAGE
    answer = _answer(payload.response)
    provider, model = _model(payload, answer)
    # The gateway answered from its own cache: the payload repeats the tokens, but nothing was bought.
    meters: Meters = {} if payload.cache_hit else _meters(payload, usage, answer, provider, model)
    if not (meters or payload.cache_hit):
        if why := _free(payload, answer):
            return NothingUsed(index, event_id, why)
        # Images, speech and tools are answered without tokens, but not for nothing: what is counted has its price, or
        # the request has, or it waits.
        meters = litellm_meters.other(usage, provider, payload.response)
    elif payload.call_type in calls.READ_RESPONSE and _billed_before(payload, answer):
        return NothingUsed(index, event_id, "billed with the call that it came from")
    occurred_at = _occurred_at(payload)
    identities = identities_of(metadata)
    project = project_of(_tags(payload), metadata)
    tier = _tier(payload, usage, answer.service_tier)
    digest = fingerprint(occurred_at, identities, provider, model, tier, meters, project)
    remarks = _remarks(payload, answer, event_id, model, provider, source=source)
    return UsageEvent(
        source, event_id, occurred_at, identities, provider, model, tier, meters, project, digest, remarks
    )


def _model(payload: _Payload, answer: _Answer) -> tuple[str, str]:
    """The provider and its name of the model; where a batch or a look at a training names none, the answers may."""
    provider, model = payload.custom_llm_provider or "", payload.model or ""
    if not model and payload.hidden_params:
        model = _only(payload.hidden_params.batch_models)
    if not model and payload.call_type in calls.READ_TRAINING:
        model = _only([answer.model])
    return intern(provider.lower()), intern(model.removeprefix(f"{provider}/"))


def _only(names: object) -> str:
    """The one name that stands in a list, however often."""
    one = names[0] if isinstance(names, list) and names and names.count(names[0]) == len(names) else None
    return one if isinstance(one, str) and len(one) <= MAX_NAME and "\0" not in one else ""


def _meters(payload: _Payload, usage: Usage, answer: _Answer, provider: str, model: str) -> Meters:
    """Everything that was counted; empty where nothing was."""
    meters = litellm_meters.tokens(
        payload.prompt_tokens or 0, payload.completion_tokens or 0, payload.total_tokens or 0, usage
    )
    tools = (payload.cost_breakdown or _NO_COSTS).tool_usage_cost or 0.0
    meters |= litellm_meters.searches(usage, provider, model, tools_cost=tools, answer=payload.response)
    if payload.call_type in calls.READ_TRAINING and _is_count(trained := answer.trained_tokens):
        # Known once the training is done; until then a look buys nothing.
        meters["trained_tokens"] = trained
    return meters


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 < value <= MAX_COUNT


def _free(payload: _Payload, answer: _Answer) -> str:
    """Why a call without any count bought nothing; empty if it may have."""
    if payload.call_type in calls.BUYS_NOTHING:
        return "nothing was bought"
    if payload.response_cost:
        return ""
    if payload.call_type in calls.FREE_UNLESS_PRICED:
        return "nothing was bought"
    if (answer.background is True or answer.status in _UNDER_WAY) and payload.call_type not in calls.MADE_VIDEO:
        return "answered later, and billed then"
    return ""


def _billed_before(payload: _Payload, answer: _Answer) -> bool:
    """Whether a stored response was made by a call that was billed; of one in the background it was not."""
    if answer.background is None and calls.is_encrypted(payload.answer_id or ""):
        # Nothing tells which response it is: the gateway charges for those alone that nobody paid.
        return not payload.response_cost
    return answer.background is False


def _remarks(
    payload: _Payload, answer: _Answer, event_id: str, model: str, provider: str, *, source: str
) -> Remarks | None:
    """What is said beside the use: the gateway's own price, the model behind a name, its hold, of what it is a part."""
    quoted = 0 if payload.cache_hit else _quoted(payload)
    base_model = _base_model(payload, provider) if provider in _DEPLOYING else ""
    work = _work(payload, answer) if payload.call_type in calls.OF_WORK else None
    bridges = payload.call_type in calls.BRIDGES and "@" in event_id
    hold = HoldRef(source, payload.hold) if payload.hold else None
    if quoted or work or bridges or hold or base_model not in {"", model}:
        return Remarks(quoted, "" if base_model == model else base_model, work, bridges, hold)
    return None


def _work(payload: _Payload, answer: _Answer) -> Work | None:
    """The piece of work, where the answer has an id of its own."""
    answer_id = payload.answer_id
    if not answer_id or answer_id == payload.litellm_call_id or "\0" in answer_id:
        return None
    if not calls.is_encrypted(answer_id):
        return calls.work_of(payload.call_type, answer_id)
    # Nobody pays for a look at what this call made; a look at what was made in the background is known by its content.
    looked = payload.call_type in calls.READ_RESPONSE
    return Work(f"response:{_content(payload, answer)}", looked_at=True) if looked and answer.created_at else None


def _content(payload: _Payload, answer: _Answer) -> str:
    """What tells one response from others, each time that it is looked at: when it was made, its parts, its counts."""
    try:
        ids = [part.id for part in _PARTS.decode(answer.output) or ()]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        ids = []
    told = (answer.created_at, payload.model, ids, payload.prompt_tokens, payload.completion_tokens)
    return calls.short(msgspec.json.encode(told).decode())


def _base_model(payload: _Payload, provider: str) -> str:
    """The model behind a deployment; elsewhere a name is the model's own, or that of a server that speaks alike."""
    key = (payload.model_map_information or _NO_ENTRY).model_map_key or ""
    return key.removeprefix(f"{provider}/").removeprefix("openai/")


def _quoted(payload: _Payload) -> int:
    """The gateway's own price of the model's work in nano-USD, without its margin, its discount and its guardrails."""
    cost, parts = payload.response_cost or 0.0, payload.cost_breakdown or _NO_COSTS
    cost += (parts.discount_amount or 0.0) - (parts.margin_total_amount or 0.0) - (parts.guardrail_cost or 0.0)
    return round(cost * NANO_PER_USD) if 0 < cost <= _LARGEST_QUOTE else 0


def _event_id(payload: _Payload) -> str:
    """The call's id and the microsecond at which it began, the same each time the payload is sent.

    The id alone will not do: the client may choose it (`x-litellm-call-id`), give every call the same one, and make it
    too long, when it is shortened rather than refused. A failed call and the fallback that answered it share it, too.
    Nor would milliseconds do: calls that are made at the same time begin in the same one.
    """
    call_id = payload.litellm_call_id
    if len(call_id) > MAX_NAME:
        call_id = calls.short(call_id)
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


def identities_of(metadata: KeyMetadata) -> Identities:
    """Who the gateway's own key belongs to; `end_user` and the rest of the metadata are what the client claims."""
    email, user, alias = metadata.user_api_key_user_email, metadata.user_api_key_user_id, metadata.user_api_key_alias
    return (
        *((("email", email),) if email else ()),
        *((("user", user),) if user else ()),
        *((("key_alias", alias),) if alias else ()),
    )


def project_of(tags: Iterable[str], metadata: KeyMetadata) -> str:
    """The first usable `project:NAME` tag, else the team of the key."""
    for tag in tags:
        name = tag.removeprefix(_PROJECT_TAG).strip() if tag.startswith(_PROJECT_TAG) else ""
        if name and len(name) <= MAX_NAME and "\0" not in name:
            return name
    return metadata.user_api_key_team_alias or metadata.user_api_key_team_id or ""


def _tags(payload: _Payload) -> list[str]:
    """Those of a request; nothing is decoded where none could name a project."""
    raw = bytes(payload.request_tags)
    return _decoded_tags(raw) if _PROJECT_TAG.encode() in raw else []


def _tier(payload: _Payload, usage: Usage, answered: str | None) -> str:
    """The tier that the provider says it served, else the one by which the gateway reckoned; with speed and region.

    What the client asked for says nothing: providers serve another tier when that one is full.
    """
    if payload.call_type in calls.FINISHED_BATCH:
        return calls.WHOLE_BATCH
    named = answered or usage.service_tier or (payload.cost_breakdown or _NO_COSTS).service_tier
    tier = service_tier(named) if named else ""
    if usage.speed:
        tier = service_tier(usage.speed) or tier
    region = (usage.inference_geo or "").lower()
    if payload.custom_llm_provider == "anthropic" and region not in _EVERYWHERE:
        tier = f"{tier}-{region}" if tier else region
    if _is_routed(payload.cost_breakdown or _NO_COSTS):
        tier = f"{tier}-{ROUTER}" if tier else ROUTER
    return tier


def _is_routed(costs: _Costs) -> bool:
    """Whether Azure's model router chose the model, and charges for it beside the model's price."""
    extra = costs.additional_costs
    return isinstance(extra, dict) and any("model router" in name.lower().replace("_", " ") for name in extra)


def _answer(raw: Raw) -> _Answer:
    """What an answer says of itself; it may be a text or null where the gateway logs no answers."""
    try:
        answer = _ANSWER.decode(raw) or _NO_ANSWER
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _NO_ANSWER
    tier = answer.service_tier
    if tier is None or (isinstance(tier, str) and len(tier) <= MAX_NAME and "\0" not in tier):
        return answer
    raise unfit("response.service_tier", f"at most {MAX_NAME} characters without NUL", tier)


def _decoded_tags(raw: bytes) -> list[str]:
    try:
        tags = msgspec.json.decode(raw, type=list[Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    return [tag for tag in tags if isinstance(tag, str)]
