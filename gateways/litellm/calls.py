"""What kind of call a request is: one that uses something, one whose use nobody can size, one that is free.

The names are LiteLLM's; most exist twice, with an "a" before the asynchronous one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from .wire import Person

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["sized", "checked", "free"]

PROJECT = "project:"
MARK = "tokens_bot_call"


def _both(*names: str) -> frozenset[str]:
    return frozenset({form for name in names for form in (name, f"a{name}")})


SIZED = _both(
    *("completion", "text_completion", "responses", "anthropic_messages", "generate_content"),
    *("generate_content_stream", "embedding", "embeddings", "image_generation", "image_edit", "image_variation"),
    *("rerank", "speech", "transcription", "audio_transcription", "ocr"),
)
CHECKED = _both("create_batch", "create_fine_tuning_job", "video_generation", "create_video", "video_remix") | {
    "_arealtime",
    "_aresponses_websocket",
    "allm_passthrough_route",
    "pass_through_endpoint",
}
"""What they use is known later or never: whoever may not call at all may not begin them either."""


def kind_of(call_type: str) -> Kind:
    """Files, listings, looks at what goes on, tools: all that is neither sized nor checked buys nothing."""
    if call_type in SIZED:
        return "sized"
    return "checked" if call_type in CHECKED else "free"


def person_of(key: object) -> Person | None:
    """Whose a key is, by the names that its usage will be reported under; None where it says nobody."""
    email, user, alias = (_text(getattr(key, name, None)) for name in ("user_email", "user_id", "key_alias"))
    return Person(email or user, alias) if email or user or alias else None


def project_of(key: object, data: Mapping[str, Any]) -> str:
    """The first tag that names one, else the team of the key."""
    for tag in _tags(data):
        name = tag.removeprefix(PROJECT).strip() if tag.startswith(PROJECT) else ""
        if name:
            return name
    return _text(getattr(key, "team_alias", None)) or _text(getattr(key, "team_id", None))


def _tags(data: Mapping[str, Any]) -> list[str]:
    metadata = _kept_with(data)
    tags = data.get("tags") or (metadata.get("tags") if metadata else None)
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def mark(data: dict[str, Any], call_id: str) -> None:
    """Write a call's id where LiteLLM carries it along, through retries and fallbacks, and sends it to no provider."""
    metadata = _kept_with(data)
    if metadata is None:
        metadata = data["metadata"] = {}
    metadata[MARK] = call_id


def marked(place: object) -> str:
    """The id that was written; what a client wrote there is no call that runs."""
    for metadata in _both_kinds(place) if isinstance(place, dict) else ():
        found = metadata.get(MARK)
        if isinstance(found, str):
            return found
    return ""


def _kept_with(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The metadata of the proxy; `metadata` of some interfaces is the provider's, and then there are two."""
    return next(iter(_both_kinds(data)), None)


def _both_kinds(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = (data.get("litellm_metadata"), data.get("metadata"))
    return [metadata for metadata in found if isinstance(metadata, dict)]


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
