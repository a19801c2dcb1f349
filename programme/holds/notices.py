"""Telling people that a cap stops their calls: once for each cap and window, within seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.holds import cash
from store.holds.cash import Stop
from store.ledger import wallets
from store.outbox import messages
from store.outbox.messages import NewMessage
from views import codec
from views.holds import Stopped

if TYPE_CHECKING:
    from policy.caps import SumKey
    from programme.holds.pricing import Buyer
    from programme.moment import Moment
    from views.holds import Denial

TEMPLATE = "holds/stopped"


def stopped(moment: Moment, buyer: Buyer, denial: Denial, key: SumKey | None) -> None:
    """Owe the notice, in the denial's own transaction; the account is locked, so that two do not both owe it.

    A wallet has no window: its owner is told again once tokens came and were used up again.
    """
    credit = None
    if key is None:
        credit = wallets.latest_credit(moment.session, buyer.account_id)
        since = f"credit_{credit}"
    else:
        # A limit that was raised meanwhile, and is reached again, is another occasion.
        since = f"{key.window}_{key.first_day}_{int(denial.cap.limit)}"
    name = f"stopped:{denial.cap.name}:{since}:{buyer.person_id}"
    if messages.is_owed(moment.session, name):
        return
    view = codec.written(Stopped(denial, moment.now, buyer.person_id, credit))
    letter = NewMessage(name, TEMPLATE, view, buyer.person_id, None, moment.now, at_once=True)
    messages.owe(moment.session, [letter], now=moment.now)
    stop = Stop(name, buyer.person_id, denial.cap.name, int(denial.cap.limit), moment.now)
    cash.note_stop(moment.session, stop)
