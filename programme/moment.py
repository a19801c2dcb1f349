"""One transaction, and the instant and calendar by which everything in it is judged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from policy.period import day_of
from programme import handbooks
from programme.handbooks import RecentHandbooks
from programme.price_book import PriceBook

if TYPE_CHECKING:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from policy.handbook import Handbook
    from policy.period import Quarter
    from policy.value.valuation import TokenValue
    from programme.handbooks import Handbooks
    from store.engine import Session


@dataclass(frozen=True)
class Moment:
    """What every use case is handed first: where to read and write, when it is, and by whose calendar.

    `programme.app.App` makes one for each transaction, so the clock is read once and the handbooks are loaded once.
    """

    session: Session
    now: datetime
    zone: ZoneInfo
    governance_channel: str | None = None
    board_usergroup: str | None = None
    recruiters_channel: str | None = None
    prices: PriceBook = field(default_factory=PriceBook)
    recently: RecentHandbooks = field(default_factory=RecentHandbooks)
    is_copied: bool = False
    """Whether a copy of the database is read, which is of this moment and a little behind."""

    @cached_property
    def today(self) -> date:
        """The programme's day."""
        return day_of(self.now, self.zone)

    @cached_property
    def handbooks(self) -> Handbooks:
        """Every version of the handbook, as this transaction found them."""
        return handbooks.load(self.session)

    def read_rules(self, quarter: Quarter) -> tuple[Handbooks, TokenValue | None]:
        """The handbooks, and the value that was adopted for a quarter, as they are now; in one statement."""
        books, value = handbooks.load_with_value(self.session, quarter)
        self.__dict__["handbooks"] = books
        return books, value

    def forget_handbooks(self) -> None:
        """A version was added in this transaction: load them again."""
        self.__dict__.pop("handbooks", None)

    @property
    def handbook(self) -> Handbook:
        """The version in force today."""
        return self.handbooks.on(self.today)

    @property
    def recent_handbooks(self) -> Handbooks:
        """The handbooks as they were at most a minute ago: for what a message says, never for what is posted."""
        return self.recently.get(self.session, self.now)

    def at(self, now: datetime) -> Moment:
        """The same transaction at another instant."""
        return replace(self, now=now)
