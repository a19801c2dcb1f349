"""From what the outbox keeps to what Slack gets: each kind of message is composed by one function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler import (
    appeal_letters,
    fast_track_letters,
    grant_letters,
    policy_letters,
    report_letters,
    review_letters,
    warning_letters,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from programme.desk import Desk
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
    "warnings/warning": warning_letters.compose,
}


LIVE: dict[str, Callable[[Desk, object], Message | None]] = {
    "fast_track/card": fast_track_letters.compose_card,
    "fast_track/face": fast_track_letters.compose_face,
    "fast_track/mine": fast_track_letters.compose_mine,
    "fast_track/note": fast_track_letters.compose_note,
    "fast_track/question": fast_track_letters.compose_question,
    "fast_track/more_time": fast_track_letters.compose_more_time,
    "fast_track/outcome": fast_track_letters.compose_outcome,
    "policy/card": policy_letters.compose_card,
    "policy/face": policy_letters.compose_face,
    "policy/mine": policy_letters.compose_mine,
    "policy/note": policy_letters.compose_note,
    "review/notice": appeal_letters.compose_notice,
    "review/pack": review_letters.compose_pack,
    "review/face": review_letters.compose_face,
    "review/outcome": review_letters.compose_outcome,
    "review/milestone": review_letters.compose_milestone,
    "appeals/card": appeal_letters.compose_card,
    "appeals/face": appeal_letters.compose_face,
    "appeals/mine": appeal_letters.compose_mine,
    "appeals/note": appeal_letters.compose_note,
    "appeals/nobody": appeal_letters.compose_nobody,
}
"""Messages about requests, proposals, reviews and appeals tell what holds when they go out: rows only name those."""


PICTURED: dict[str, Callable[[Desk, object], tuple[Message, Picture | None] | None]] = {
    "reports/weekly": report_letters.compose,
    "review/money": review_letters.compose_money,
    "review/use": review_letters.compose_use,
}
"""The same of messages with a picture."""


def compose(template: str, view: object, *, desk: Desk) -> Composed | None:
    """The message of a kind with what its row keeps; None where there is nothing to say any more."""
    if template in LIVE:
        message = LIVE[template](desk, view)
        return None if message is None else Composed(message)
    if template in PICTURED:
        composed = PICTURED[template](desk, view)
        return None if composed is None else Composed(*composed)
    try:
        composer = COMPOSERS[template]
    except KeyError:
        raise UnknownTemplateError(template) from None
    return Composed(*composer(view))
