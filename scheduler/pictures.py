"""The picture of a message: uploaded first, shown once Slack has it, and left out rather than holding up the words."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scheduler import slack_delivery, troubles
from scheduler.troubles import Refused, Trouble

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from store.outbox.messages import OwedMessage
    from templates.charts import Picture

logger = logging.getLogger(__name__)

ANEW_AFTER, MOST_ATTEMPTS = 3, 6
"""Slack needs a moment until a picture can be shown, and refuses the message until then. After so many attempts the
picture is uploaded anew; after so many the message goes without."""

UNSHOWN = frozenset({"invalid_blocks", "file_not_found"})
"""What Slack says of a picture that it is still processing, and of one that it has lost."""
FORBIDDEN = frozenset({
    "file_deleted",
    "posting_to_channel_denied",
    "slack_connect_file_link_sharing_blocked",
    "slack_connect_file_upload_sharing_blocked",
    "unable_to_share_files",
})  # fmt: skip
"""What it says where no picture may be shown."""


def uploaded(slack: WebClient, row: OwedMessage, picture: Picture) -> str | None:
    """The id of a message's picture, uploaded now; None where the message has to go without."""
    try:
        return troubles.asked(lambda: slack_delivery.upload(slack, picture), posting=False)
    except Refused as refused:
        trouble = refused.trouble
        passes = trouble.course in {"back_off", "retry"} and row.attempts < MOST_ATTEMPTS
        if passes or trouble.course in {"wait", "stop"}:
            raise
        leave_out(row, trouble)
        return None


def is_reason(trouble: Trouble) -> bool:
    """Whether it may be the picture because of which a message is refused."""
    return trouble.code in UNSHOWN | FORBIDDEN


def may_come(row: OwedMessage, trouble: Trouble) -> bool:
    """Whether a picture that Slack did not show may still be shown; one that was uploaded just now may."""
    return trouble.code in UNSHOWN and (row.file_id is None or row.attempts < MOST_ATTEMPTS)


def is_lost(row: OwedMessage) -> bool:
    """Whether a picture has been refused so often that it is time to upload it anew."""
    return row.file_id is not None and row.attempts >= ANEW_AFTER and row.attempts % ANEW_AFTER == 0


def leave_out(row: OwedMessage, trouble: Trouble) -> None:
    logger.warning("message %s goes out without its picture: %s", row.id, trouble.code)
