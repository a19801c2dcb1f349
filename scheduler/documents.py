"""The document of a message: handed in first, then shared where the message goes, and found again by its id."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler import pictures, slack_delivery, troubles
from scheduler.troubles import Refused, asked

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from scheduler.messages import Composed
    from scheduler.troubles import Trouble
    from store.outbox.messages import OwedMessage


class LostError(Exception):
    """Slack does not know of a document any more that was handed in: it has to be handed in anew."""


def handed_in(slack: WebClient, row: OwedMessage, composed: Composed) -> str:
    """The id of a message's document, handed in now unless it was before."""
    document = composed.document
    assert document is not None  # noqa: S101 - only such messages come here
    try:
        return row.file_id or asked(lambda: slack_delivery.hand_in(slack, document), posting=False)
    except Refused as refused:
        raise Refused(_alone(refused.trouble, row)) from refused


def shared(slack: WebClient, row: OwedMessage, composed: Composed, file_id: str, *, to: str, thread: str) -> str:
    """The conversation in which a document is by now; LostError where it has to be handed in again."""
    try:
        return asked(lambda: slack_delivery.share(slack, file_id, composed, to=to, thread=thread), posting=True)
    except Refused as refused:
        if refused.trouble.code in pictures.UNSHOWN and row.attempts < pictures.MOST_ATTEMPTS:
            raise LostError from refused
        raise Refused(_alone(refused.trouble, row)) from refused


def _alone(trouble: Trouble, row: OwedMessage) -> Trouble:
    """A document that Slack does not take holds up no other message: the app may be forbidden to bring files at all."""
    if trouble.code in troubles.OF_THE_METHOD:
        return replace(trouble, course="hold")
    is_refusal = trouble.course == "back_off" and not trouble.performed and trouble.code != troubles.NO_ANSWER
    is_in_vain = trouble.course == "retry" and row.attempts >= pictures.MOST_ATTEMPTS
    if (is_refusal and trouble.code not in {*troubles.PASSING, troubles.CERTIFICATE}) or is_in_vain:
        return replace(trouble, course="park")
    return trouble
