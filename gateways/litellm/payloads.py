"""What is kept of LiteLLM's own account of a call: counts, names and times. No prompt, no answer, no address.

It is what the bot reads of a payload of the generic callback, and it is sent to the same place. So the same call has
the same id, whichever of the two reports it.
"""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from .leases import Use

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEPT = (
    *("litellm_call_id", "id", "call_type", "status", "cache_hit", "custom_llm_provider", "model", "startTime"),
    *("endTime", "prompt_tokens", "completion_tokens", "total_tokens", "response_cost"),
)
WHO = (
    *("user_api_key_user_email", "user_api_key_user_id", "user_api_key_alias", "user_api_key_team_alias"),
    "user_api_key_team_id",
)
COSTS = (
    *("service_tier", "tool_usage_cost", "guardrail_cost", "discount_amount", "margin_total_amount"),
    "additional_costs",
)
SAID = ("service_tier", "background", "status", "created_at", "model", "trained_tokens")
PROJECT = "project:"

LONGEST_ID = 256
FIRST_SECOND, END_OF_SECONDS = 946_684_800, 4_102_444_800
"""The years 2000 to 2100."""


def first_account(told: Mapping[str, Any], answer: object, now: float) -> dict[str, Any] | None:
    """What is known of a call when its answer leaves, before LiteLLM has made up its payload; None without a count.

    It is sent only if the proxy ends before the payload is there.
    """
    said = (
        answer
        if isinstance(answer, dict)
        else {"id": getattr(answer, "id", None), "usage": getattr(answer, "usage", 0)}
    )
    usage, began = _counts(said.get("usage")), told.get("start_time")
    if not isinstance(usage, dict) or not isinstance(began, datetime):
        return None
    parameters = _mapping(told.get("litellm_params"))
    metadata = _mapping(parameters.get("metadata")) or _mapping(parameters.get("litellm_metadata"))
    account = _only(told, ("litellm_call_id", "call_type", "custom_llm_provider", "model", "cache_hit"))
    counts = {
        "prompt_tokens": _count(usage.get("prompt_tokens")) or _whole_input(usage),
        "completion_tokens": _count(usage.get("completion_tokens") or usage.get("output_tokens")),
        "total_tokens": _count(usage.get("total_tokens")),
    }
    times = {"startTime": began.timestamp(), "endTime": now}
    who = _only(metadata, WHO) | {"usage_object": usage}
    return account | counts | times | {"id": said.get("id"), "status": "success", "metadata": who}


def _whole_input(usage: Mapping[str, Any]) -> int:
    """Anthropic counts what its cache did beside the input; others have it in there, under other names."""
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    return sum(_count(usage.get(name)) for name in names)


def trimmed(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a StandardLoggingPayload that is kept and sent."""
    kept = _only(payload, KEPT)
    metadata = _mapping(payload.get("metadata"))
    kept["metadata"] = _only(metadata, WHO) | {"usage_object": _counts(metadata.get("usage_object"))}
    kept["request_tags"] = [tag for tag in _texts(payload.get("request_tags")) if tag.startswith(PROJECT)]
    kept["response"] = _told(payload.get("response"))
    kept["cost_breakdown"] = _only(_mapping(payload.get("cost_breakdown")), COSTS)
    known_as = _mapping(payload.get("model_map_information"))
    kept["model_map_information"] = {"model_map_key": known_as.get("model_map_key")}
    if models := _mapping(payload.get("hidden_params")).get("batch_models"):
        kept["hidden_params"] = {"batch_models": models}
    return kept


def event_id(payload: Mapping[str, Any]) -> str:
    """The id under which the bot will know the event: the call and the microsecond at which it began."""
    call_id = str(payload.get("litellm_call_id") or "")
    if len(call_id) > LONGEST_ID:
        call_id = f"blake2b:{blake2b(call_id.encode(), digest_size=32).hexdigest()}"
    times = (payload.get("startTime"), payload.get("endTime"))
    began = next((t for t in times if isinstance(t, int | float) and FIRST_SECOND <= t < END_OF_SECONDS), None)
    known_as = call_id if began is None else f"{call_id}@{round(began * 1_000_000)}"
    return f"{known_as}:failure" if payload.get("status") == "failure" else known_as


def encoded(payload: Mapping[str, Any], hold: str) -> str:
    """A kept payload as it is sent, with the hold that it settles."""
    # What the provider counts may come as objects of LiteLLM's.
    return json.dumps({**payload, "hold": hold} if hold else payload, default=_plain, separators=(",", ":"))


def use(payload: Mapping[str, Any]) -> Use:
    """What was used, by the counts that a lease's prices are for; nothing where the proxy answered from its cache."""
    if payload.get("cache_hit"):
        return Use()
    usage = _mapping(_mapping(payload.get("metadata")).get("usage_object"))
    details = _mapping(usage.get("prompt_tokens_details"))
    return Use(
        input_tokens=_count(payload.get("prompt_tokens")),
        output_tokens=_count(payload.get("completion_tokens")),
        cache_read=_count(usage.get("cache_read_input_tokens") or details.get("cached_tokens")),
        cache_write=_count(usage.get("cache_creation_input_tokens") or details.get("cache_creation_tokens")),
    )


def counted_anything(payload: Mapping[str, Any]) -> bool:
    """Whether a hold is to be settled by it: what is only begun, or only looked at, leaves nothing to pay."""
    counts = (payload.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens", "response_cost"))
    return bool(payload.get("cache_hit")) or any(counts)


def used_anything(payload: Mapping[str, Any]) -> bool:
    """A failed call without a count bought nothing, and nothing is reported of it."""
    return payload.get("status") != "failure" or bool(payload.get("prompt_tokens") or payload.get("completion_tokens"))


def _only(mapping: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: mapping[name] for name in names if mapping.get(name) is not None}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _counts(value: object) -> object:
    """Numbers, names of tiers and the like, as deep as they are; None where there is no usage."""
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    return value if isinstance(value, dict) else None


def _told(answer: object) -> dict[str, Any] | None:
    """What an answer says of itself, and which parts it has, without what they say."""
    if not isinstance(answer, dict):
        return None
    told = {name: answer[name] for name in SAID if name in answer}
    parts = answer.get("output")
    if isinstance(parts, list):
        told["output"] = [{"type": p.get("type"), "id": p.get("id")} for p in parts if isinstance(p, dict)]
    if searched := _mapping(answer.get("tool_usage")).get("web_search"):
        told["tool_usage"] = {"web_search": _only(_mapping(searched), ("num_requests",))}
    if units := _mapping(_mapping(answer.get("meta")).get("billed_units")).get("search_units"):
        told["meta"] = {"billed_units": {"search_units": units}}
    if isinstance(choices := answer.get("choices"), list) and any(cited := [_cited(one) for one in choices]):
        told["choices"] = [{"message": {"annotations": kinds}} for kinds in cited]
    return told


def _cited(choice: object) -> list[dict[str, Any]]:
    """The kinds of what a choice cites: pages of the web, files."""
    cited = _mapping(_mapping(choice).get("message")).get("annotations")
    return [_only(one, ("type",)) for one in cited if isinstance(one, dict)] if isinstance(cited, list) else []


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _plain(value: object) -> object:
    return value.model_dump() if hasattr(value, "model_dump") else str(value)
