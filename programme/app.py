"""What every edge has at hand: the database, the clock, the calendar's zone and the price book."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from programme.handbooks import RecentHandbooks
from programme.usage.price_book import PriceBook
from programme.value.standing import RecentStanding

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from zoneinfo import ZoneInfo

    from store.engine import Database, Session


def utc_now() -> datetime:
    return datetime.now(UTC)


def nobody_looks(_person_id: str) -> None:
    """What becomes of a Home where nothing is shown, as in commands."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Handed to every handler and command; `clock` is read once, at the edge."""

    database: Database
    zone: ZoneInfo
    clock: Callable[[], datetime] = utc_now
    prices: PriceBook = field(default_factory=PriceBook)
    recent_handbooks: RecentHandbooks = field(default_factory=RecentHandbooks)
    recent_standing: RecentStanding = field(default_factory=RecentStanding)
    governance_channel: str | None = None
    """Where the board decides; without one, each of its members gets a message of their own."""
    board_usergroup: str | None = None
    """The Slack user group of the board; without one, the people with role `board`."""
    refresh_home: Callable[[str], None] = nobody_looks
    """Shows a person's Home anew, by their id, if they looked at it lately. It never raises."""

    def transaction(self) -> AbstractContextManager[Session]:
        """A session that commits at the end of the block."""
        return self.database.transaction()

    def reading(self) -> AbstractContextManager[Session]:
        """A session for statements that only read."""
        return self.database.reading()
