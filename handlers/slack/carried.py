"""What our buttons and forms carry, read back: it went through Slack, and may be of another release, or forged."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from policy.reasons import Refusal
from store.audit import Place

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Carried = TypeVar("Carried", bound=Struct)


class FromMessage(Struct, frozen=True, kw_only=True):
    """The message whose button opened a form; each form adds what it is about."""

    channel: str | None = None
    ts: str | None = None

    @property
    def place(self) -> Place:
        return Place(self.channel, self.ts)


def written(carried: Struct) -> str:
    """What a form carries, for its `private_metadata`."""
    return msgspec.json.encode(carried).decode()


def read(text: str, shape: type[Carried]) -> Carried:
    """What a form carries; a Refusal for what we did not write."""
    return parsed(text, lambda one: msgspec.json.decode(one, type=shape))


def parsed(text: str, parse: Callable[[str], T]) -> T:
    """What a button carries; a Refusal for what we did not write."""
    try:
        return parse(text)
    except (ValueError, msgspec.MsgspecError) as error:
        raise Refusal(
            "unreadable",
            "I can't tell what this is about, so nothing was changed.",
            next_step="Open it again, from a newer message or from my Home.",
        ) from error
