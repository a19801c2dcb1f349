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

    def ripe(self, most: int) -> list[OwedMessage]:
        """What was kept for long enough, up to so many messages, and one of a channel: a pass sends no more."""
        now = self._monotonic()
        ripe: dict[object, OwedMessage] = {}
        for row, since in self._kept.values():
            if now - since >= KEPT_SECONDS:
                ripe.setdefault(row.channel or row.id, row)
        taken = list(ripe.values())[:most]
        for row in taken:
            del self._kept[row.id]
        return taken

    def put_back(self, rows: Sequence[OwedMessage]) -> None:
        """Keep what was ripe and could not be sent yet, until the next pass."""
        ripe_since = self._monotonic() - KEPT_SECONDS
        self._kept |= {row.id: (row, ripe_since) for row in rows}

    def keep(self, leased: Sequence[OwedMessage]) -> list[OwedMessage]:
        """Keep what is in doubt; the rest can go out now.

        One that was lost and leased anew begins anew: somebody else may have tried it in between.
        """
        now = self._monotonic()
        self._kept |= {row.id: (row, now) for row in leased if row.uncertain}
        return [row for row in leased if not row.uncertain]
