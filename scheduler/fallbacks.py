"""What follows when a message cannot go where it should: the board is told in private instead, and nobody is misled."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from programme.moment import Moment
    from store.outbox.messages import OwedMessage


def after_parked(moment: Moment, row: OwedMessage) -> None:
    """Owe what a message that was set aside leaves undone."""


def after_sent(moment: Moment, row: OwedMessage) -> None:
    """Owe what changes once a message arrives."""
