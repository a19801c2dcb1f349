"""How much a call may use, told by its size and its output limit. Sizes alone are looked at, never kept texts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

BYTES_PER_TOKEN = 3.5
OUTPUT_TOKENS = 4_096
"""What is taken for the output where neither the call nor the bot says anything."""
MEDIA_TOKENS = 1_600
"""What a picture, a sound or a file counts as: its bytes say nothing of its tokens."""

INPUTS = (
    "messages",
    "system",
    "tools",
    "functions",
    "input",
    "instructions",
    "prompt",
    "query",
    "documents",
    "contents",
)
OUTPUT_LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
WITHOUT_OUTPUT = frozenset({"embeddings", "embedding", "aembedding", "rerank", "arerank", "moderation", "amoderation"})

_LONG = 512
_MEDIA = frozenset({"data", "url", "image_url", "b64_json", "file_data", "bytes", "input_audio"})


@dataclass(frozen=True)
class Estimate:
    """Input tokens, and how many of output are asked for at most (None: nothing was said)."""

    input_tokens: int
    output_tokens: int | None
    answers: int = 1

    def output(self, usual: int | None) -> int:
        """The worst case of the output, all answers together."""
        limit = self.output_tokens
        return self.answers * ((usual or OUTPUT_TOKENS) if limit is None else limit)

    def usual_output(self, usual: int | None) -> int:
        """What calls of this model use at most as a rule, where that is less than the worst case."""
        return self.output(usual) if usual is None else min(self.output(usual), self.answers * usual)


def of_call(data: Mapping[str, Any], call_type: str) -> Estimate:
    """The estimate of a request's body."""
    size = _Size()
    for name in INPUTS:
        size.add(data.get(name), name)
    tokens = math.ceil(size.octets / BYTES_PER_TOKEN) + size.media * MEDIA_TOKENS
    if call_type in WITHOUT_OUTPUT:
        return Estimate(tokens, 0)
    limits = [data[name] for name in OUTPUT_LIMITS if _is_count(data.get(name))]
    answers = data["n"] if _is_count(data.get("n")) and data["n"] > 0 else 1
    return Estimate(tokens, limits[0] if limits else None, answers)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


class _Size:
    """Counts octets of text and pieces of media; a stack of its own, because clients nest as deep as they like."""

    def __init__(self) -> None:
        self.octets = 0
        self.media = 0

    def add(self, content: object, name: str) -> None:
        waiting: list[tuple[str, object]] = [(name, content)]
        while waiting:
            key, value = waiting.pop()
            if isinstance(value, str):
                self._add_text(key, value)
            elif isinstance(value, dict):
                self.octets += sum(len(str(one)) + 4 for one in value)
                waiting.extend((str(one), inner) for one, inner in value.items())
            elif isinstance(value, list | tuple):
                waiting.extend((key, inner) for inner in value)
            elif isinstance(value, bytes):
                self.media += 1
            elif value is not None:
                self.octets += len(str(value))

    def _add_text(self, key: str, text: str) -> None:
        if len(text) > _LONG and (key in _MEDIA or text.startswith("data:")):
            self.media += 1
        else:
            self.octets += len(text) if text.isascii() else len(text.encode(errors="replace"))
