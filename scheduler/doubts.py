"""Messages in doubt, which a courier keeps for a moment before it looks for them.

What the courier before it asked of Slack may still be under way: its lease is over too soon where a clock was set, or
where the clocks of two machines differ, and Slack may do late what it gave no answer to. So long as a courier keeps
a message nobody else posts it; after longer than any call of another's takes, the message is there or never will be.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from store.outbox.messages import OwedMessage

KEPT_SECONDS = 15.0
"""Longer than `slack_delivery.PATIENCE_SECONDS`, on the monotonic clock."""


class Doubts:
    """The messages in doubt of one courier, by id, and since when it has them."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._kept: dict[int, tuple[OwedMessage, float]] = {}

    def sift(self, leased: Sequence[OwedMessage]) -> list[OwedMessage]:
        """What can be seen to now: of what was leased that which is in no doubt, and what was kept for long enough.

        Of a channel that is one message, as a pass sends no more to it.
        """
        now = self._monotonic()
        # One that was lost and leased anew begins anew: somebody else may have tried it in between.
        self._kept |= {row.id: (row, now) for row in leased if row.uncertain}
        ripe: dict[object, OwedMessage] = {}
        for row, since in self._kept.values():
            if now - since >= KEPT_SECONDS:
                ripe.setdefault(row.channel or row.id, row)
        for row in ripe.values():
            del self._kept[row.id]
        return [*ripe.values(), *(row for row in leased if not row.uncertain)]
