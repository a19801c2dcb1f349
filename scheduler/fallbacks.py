"""What follows when the board's channel does not get what it has to decide: it goes to each who decides, in private."""

from __future__ import annotations

from typing import TYPE_CHECKING

from programme.appeals import notices as appeals_notices
from programme.appeals import reach as appeals_reach
from programme.cash import notices as cash_notices
from programme.cash import questions as cash_questions
from programme.exceptions import notices as exceptions_notices
from programme.exceptions import reach as exceptions_reach
from programme.handbook import notices as handbook_notices
from programme.handbook import reach as handbook_reach
from programme.reviews import notices as reviews_notices
from programme.reviews import reach as reviews_reach

if TYPE_CHECKING:
    from collections.abc import Callable

    from programme.moment import Moment
    from store.outbox.messages import OwedMessage

IN_PRIVATE: dict[str, tuple[str, Callable[[Moment, str], None]]] = {
    handbook_notices.CARD: ("proposal_id", handbook_reach.note_parked),
    appeals_notices.CARD: ("appeal_id", appeals_reach.note_parked),
    reviews_notices.PACK: ("quarter", reviews_reach.note_parked),
    cash_notices.CARD: ("question_id", cash_questions.note_parked),
}
"""By template: what its row names, and what goes to each instead."""


def after_parked(moment: Moment, row: OwedMessage) -> None:
    """Owe what a message that was set aside leaves undone, in the transaction that sets it aside."""
    of_channel = row.channel is not None
    if row.replaces is not None:
        return
    if row.template == exceptions_notices.CARD:
        exceptions_reach.note_parked(moment, str(row.view["request_id"]), of_channel=of_channel)
    elif of_channel and row.template in IN_PRIVATE:
        name, note_parked = IN_PRIVATE[row.template]
        note_parked(moment, str(row.view[name]))


def after_sent(moment: Moment, row: OwedMessage) -> None:
    """Owe what changes once a message arrives."""
    if row.template == exceptions_notices.CARD:
        of_channel = row.channel is not None
        exceptions_reach.note_arrived(moment, str(row.view["request_id"]), of_channel=of_channel)
