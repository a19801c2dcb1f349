"""From what the outbox keeps to what Slack gets: each kind of message is composed by one function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler import grant_letters

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.charts import Picture
    from templates.render import Message


class UnknownTemplateError(LookupError):
    """No version of this bot that we are writes such a message."""


@dataclass(frozen=True, slots=True)
class Composed:
    message: Message
    picture: Picture | None = None


COMPOSERS: dict[str, Callable[[object], tuple[Message, Picture | None]]] = {
    "grants/statement": grant_letters.compose_statement,
    "grants/lapse_notice": grant_letters.compose_lapse_notice,
    "grants/digest": grant_letters.compose_digest,
}


def compose(template: str, view: object) -> Composed:
    """The message of a kind with what its row keeps."""
    try:
        composer = COMPOSERS[template]
    except KeyError:
        raise UnknownTemplateError(template) from None
    return Composed(*composer(view))
