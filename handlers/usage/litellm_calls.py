"""What kind of call a LiteLLM payload reports: one that buys, one that only looks, one that buys nothing.

The names are LiteLLM's `CallTypes`; most exist twice, with an "a" before the asynchronous one.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from hashlib import blake2b

from handlers.decoding import MAX_NAME
from policy.metering import Work

WHOLE_BATCH = "whole-batch"
"""The tier of a batch that is reported as one event."""


_RESPONSE = "resp"
_WRITTEN_INTO = {_RESPONSE: "response_id:", "video": "video_id:"}
"""How ids of answers begin into which LiteLLM writes, and what the provider's own stands behind."""

_ENCRYPTED = re.compile(r"resp_gAAAA[\w=-]{60,}|resp_(?=[\w=-]*[-_])[\w=-]{100,}")
"""LiteLLM's encrypted ids: base64 for URLs, much longer than a provider's own."""


def _both(*names: str) -> frozenset[str]:
    return frozenset({form for name in names for form in (name, f"a{name}")})


FINISHED_BATCH = _both("retrieve_batch")
READ_RESPONSE = _both("get_responses")
_MADE_RESPONSE = _both("responses")
MADE_VIDEO = _both("video_generation", "create_video", "video_remix", "video_edit", "video_extension")
_READ_VIDEO = _both("video_status", "video_retrieve", "video_retrieve_job")
READ_TRAINING = _both("retrieve_fine_tuning_job")
_MADE_INTERACTION = _both("create_interaction", "create")
_READ_INTERACTION = _both("get_interaction", "get")

_VIDEO = MADE_VIDEO | _READ_VIDEO
_INTERACTION = _MADE_INTERACTION | _READ_INTERACTION
OF_WORK = FINISHED_BATCH | READ_RESPONSE | _MADE_RESPONSE | _VIDEO | READ_TRAINING | _INTERACTION
"""They begin a piece of work, or report the whole of it each time that anybody asks how it is doing."""

BRIDGES = _both("responses", "anthropic_messages", "generate_content", "generate_content_stream")
"""Where a provider does not have these interfaces, LiteLLM answers by a chat completion; some releases report both."""

BUYS_NOTHING = _both(
    *("create_file", "file_retrieve", "file_delete", "file_list", "file_content"),
    *("create_batch", "retrieve_batch", "cancel_batch", "list_batches"),
    *("get_responses", "delete_responses", "cancel_responses", "list_input_items"),
    *("vector_store_create", "vector_store_retrieve", "vector_store_list", "vector_store_update"),
    *("vector_store_delete", "vector_store_file_create", "vector_store_file_list", "vector_store_file_retrieve"),
    *("vector_store_file_content", "vector_store_file_update", "vector_store_file_delete"),
    *("get_assistants", "create_assistants", "delete_assistant", "create_thread", "get_thread"),
    *("add_message", "_add_message", "get_messages"),
    *("cancel_fine_tuning_job", "list_fine_tuning_jobs", "retrieve_fine_tuning_job"),
    *("retrieve", "retrieve_content", "list", "list_versions", "update", "delete", "get", "cancel"),
    *("create_eval", "get_eval", "list_evals", "update_eval", "delete_eval", "cancel_eval"),
    *("get_run", "list_runs", "delete_run", "cancel_run", "get_skill", "list_skills", "delete_skill"),
    *("list_containers", "retrieve_container", "delete_container", "list_container_files", "upload_container_file"),
    *("delete_sandbox", "video_content", "video_list", "video_delete", "video_get_character"),
    *("create_realtime_client_secret", "create_realtime_transcription_session"),
    *("create_realtime_translation_client_secret", "create_skill", "health_check", "list_mcp_tools"),
)
"""Files, listings, deletions, looks at what is not finished: free whenever no tokens are counted.

The short names are those of functions for several things, as LiteLLM's own SDK reports them.
"""

FREE_UNLESS_PRICED = _both(
    *("create", "search", "vector_store_search", "video_status", "video_retrieve", "video_retrieve_job"),
    *("moderation", "send_message", "send_message_streaming"),
) | {
    "_arealtime",
    "_aresponses_websocket",
    "call_mcp_tool",
}
"""Free where nothing is counted and the gateway names no price: sessions in which nothing was said, stores, tools and
agents of one's own.

What makes a picture or a sound is in neither: it costs something, counted or not.
"""


def work_of(call_type: str, answer_id: str) -> Work:
    """The piece of work that a call of `OF_WORK` began or looked at."""
    if call_type in FINISHED_BATCH:
        return Work(_named("batch", answer_id), looked_at=True)
    if call_type in _INTERACTION:
        return Work(_named("interaction", answer_id), call_type in _READ_INTERACTION)
    if call_type in _VIDEO:
        return Work(_named("video", _providers_id(answer_id)), call_type in _READ_VIDEO)
    if call_type in READ_TRAINING:
        return Work(_named("training", answer_id), looked_at=True)
    return Work(_named("response", _providers_id(answer_id)), call_type in READ_RESPONSE)


def is_encrypted(answer_id: str) -> bool:
    """Whether an id is another one each time: a proxy encrypts the ids of responses, anew for each look."""
    return _ENCRYPTED.fullmatch(answer_id) is not None


def _named(kind: str, name: str) -> str:
    return f"{kind}:{name if len(name) <= MAX_NAME else short(name)}"


def short(name: str) -> str:
    """A name of bearable length for one that is too long, always the same."""
    return f"blake2b:{blake2b(name.encode(), digest_size=32).hexdigest()}"


def _providers_id(answer_id: str) -> str:
    """The provider's own id of an answer: LiteLLM writes where it went into the id, and not each time the same."""
    kind, _, written = answer_id.partition("_")
    if kind not in _WRITTEN_INTO:
        kind, written = _RESPONSE, answer_id
    try:
        told = b64decode(written, validate=True).decode()
    except (binascii.Error, ValueError):
        return answer_id
    _, found, own = told.partition(_WRITTEN_INTO[kind])
    return own if found and told.startswith("litellm:") and "\0" not in own else answer_id
