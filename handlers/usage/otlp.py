"""Usage from OpenTelemetry traces: spans of calls of models become CloudEvents, and are read as those are.

A span counts if a model was called in it. Spans around such calls (agents, workflows, tools) may repeat what was used
inside them and count nothing (docs/decisions/0025).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from handlers.decoding import MAX_NAME, Rejected, UnfitFieldError, unfit
from handlers.usage import cloudevents
from handlers.usage.genai_names import GENAI

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from handlers.usage.formats import Versioned
    from handlers.usage.otlp_wire import Span

_Key = tuple[str, str]

OPERATION = "gen_ai.operation.name"
MAY_BE_SILENT = frozenset({"moderation", "litellm.moderation", "litellm.passthrough", "bidi_session"})
"""Calls that may have bought nothing: they count where they tell their use, as Strands' sessions do at their end."""
CALLS = MAY_BE_SILENT | frozenset(
    {
        # OpenTelemetry's own, and what exporters add to them.
        *("chat", "text_completion", "generate_content", "embeddings"),
        *("completion", "rerank", "image", "image_generation", "audio", "speech", "text_to_speech", "speech_to_text"),
        *("transcription", "video", "realtime", "translate", "transliterate", "language_identification"),
        "speech_to_text_translate",
    }
)
AROUND_CALLS = frozenset(
    {
        *("create_agent", "invoke_agent", "invoke_workflow", "execute_tool", "plan", "retrieval", "fetch_response"),
        *("search_memory", "create_memory", "update_memory", "upsert_memory", "delete_memory"),
        *("create_memory_store", "delete_memory_store"),
        # The AI SDK's step, the span kinds of OpenLIT's frameworks, what Strands and Google's ADK put around calls.
        *("agent_step", "agent", "execute_task", "task", "workflow", "chain", "tool"),
        *("execute_event_loop_cycle", "execute_structured_output", "bidi_response", "invoke_node"),
        # LiteLLM's looks at what was stored.
        *("litellm.responses_management", "litellm.vector_store_management", "litellm.vector_store_file_management"),
    }
)
USERS = ("user.id", "enduser.id", "gen_ai.user.id", "langfuse.user.id", "traceloop.association.properties.user_id")
"""The names of a user's id, the most trusted first: OpenTelemetry's, then OpenLIT's, Langfuse's and OpenLLMetry's."""

_USER, _EMAIL, _ERROR = "user.id", "user.email", "error.type"
_USAGE = (GENAI, "tokens_bot.usage.")
_NAMES = frozenset({*cloudevents.FIELDS, *USERS, OPERATION, _ERROR})
_PERSON = frozenset({*USERS, _EMAIL})
_OF_RESOURCE = frozenset({"tokens_bot.key_alias", "tokens_bot.project"})
_TRACE_ID, _SPAN_ID = re.compile("[0-9a-f]{32}"), re.compile("[0-9a-f]{16}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_REASONS = 3
_DEEPEST = 64
"""How many spans around a call are looked at: a trace may be as deep as its sender likes."""


def is_wanted(name: str) -> bool:
    """Whether an attribute says who used what, or whether it was used at all."""
    return name.startswith(_USAGE) or name in _NAMES


def parse(spans: Sequence[Span], *, source: str) -> list[Versioned]:
    """What the calls among some spans used, in their order; `source` is the gateway that sent them."""
    found = [_event_or_refusal(index, span, source) for index, span in enumerate(_calls(spans))]
    events = [one for one in found if not isinstance(one, Rejected)]
    parsed = iter(cloudevents.parse(msgspec.json.encode(events), allowed_source=source))
    return [one if isinstance(one, Rejected) else next(parsed) for one in found]


def reasons(fates: Iterable[tuple[str, str, str, str]]) -> tuple[int, str]:
    """How many spans were not taken in, and why, for the first of them."""
    refused = [f"span {span}: {why}" for _, span, status, why in fates if status in {"rejected", "conflict"}]
    more = f"; and {len(refused) - _MOST_REASONS} more" if len(refused) > _MOST_REASONS else ""
    return len(refused), "; ".join(refused[:_MOST_REASONS]) + more


def _calls(spans: Sequence[Span]) -> list[Span]:
    """The spans that count: each call once, where it was made, whatever stands around it.

    Two libraries that report one call do so in two spans, one inside the other. A doubtful span stays, to be refused,
    so that someone hears of it; unless a call around it or inside it tells what was used.
    """
    parent_of = {_key(span): (span.trace_id, span.parent_id) for span in spans}
    telling = [span for span in spans if _tells(span)]
    around = {outer for span in telling for outer in _ancestors(span, parent_of)}
    counted = {_key(span) for span in telling} - around
    doubtful = {
        _key(span)
        for span in spans
        if _is_doubtful(span) and _key(span) not in around and counted.isdisjoint(_ancestors(span, parent_of))
    }
    return [span for span in spans if _key(span) in counted or _key(span) in doubtful]


def _key(span: Span) -> _Key:
    return span.trace_id, span.span_id


def _ancestors(span: Span, parent_of: dict[_Key, _Key]) -> Iterator[_Key]:
    """What a span stands in, as far as the request tells, from the inside out."""
    outer = parent_of[_key(span)]
    for _ in range(_DEEPEST):
        if outer not in parent_of or not outer[1]:
            return
        yield outer
        outer = parent_of[outer]


def _operation(span: Span) -> str | None:
    name = span.attributes.get(OPERATION)
    return None if name is None else str(name)


def _has_usage(span: Span) -> bool:
    return any(name.startswith(_USAGE) for name in span.attributes)


def _tells(span: Span) -> bool:
    operation = _operation(span)
    return (operation is None or operation in CALLS) and _has_usage(span)


def _is_doubtful(span: Span) -> bool:
    """A call that says nothing of its use, though it did not fail; or use by an operation that no one knows."""
    operation = _operation(span)
    if operation in CALLS:
        return operation not in MAY_BE_SILENT and not (_has_usage(span) or span.has_failed or _ERROR in span.attributes)
    return operation is not None and operation not in AROUND_CALLS and _has_usage(span)


def _event_or_refusal(index: int, span: Span, source: str) -> dict[str, Any] | Rejected:
    event_id = f"{span.trace_id}:{span.span_id}"[:MAX_NAME]
    try:
        return _event(event_id, span, source)
    except UnfitFieldError as error:
        return Rejected(index, event_id, str(error))


def _event(event_id: str, span: Span, source: str) -> dict[str, Any]:
    if not (_TRACE_ID.fullmatch(span.trace_id) and _SPAN_ID.fullmatch(span.span_id)):
        raise UnfitFieldError("traceId, spanId: expected 16 and 8 bytes, in JSON as hexadecimal digits")
    operation = _operation(span)
    if operation is not None and operation not in CALLS:
        raise unfit(OPERATION, "one that calls a model, such as chat", operation)
    told = {name: span.resource[name] for name in _OF_RESOURCE & span.resource.keys()} | span.attributes
    data = {name: value for name, value in told.items() if name not in _PERSON}
    common = {"specversion": "1.0", "type": "gen_ai.usage", "source": source}
    return common | {"id": event_id, "time": _ended_at(span), "data": data | _person(span)}


def _ended_at(span: Span) -> datetime:
    """To the microsecond: databases keep no more."""
    try:
        ended_at = _EPOCH + timedelta(microseconds=span.ended_at // 1_000)
    except OverflowError:
        ended_at = _EPOCH
    if ended_at <= _EPOCH:
        raise UnfitFieldError(f"endTimeUnixNano: expected nanoseconds since 1970, got {span.ended_at}")
    return ended_at


def _person(span: Span) -> dict[str, Any]:
    """Who it was, by the span or else by its resource; an id that is an e-mail is told as one."""
    for attributes in (span.attributes, span.resource):
        user = next((attributes[name] for name in USERS if attributes.get(name)), None)
        email = attributes.get(_EMAIL) or (user if isinstance(user, str) and "@" in user else None)
        if user or email:
            return {_USER: None if user == email else user, _EMAIL: email}
    return {}
