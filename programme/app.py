"""What every edge has at hand: the database, the clock, the calendar's zone and what is kept for a while."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from policy.reasons import Refusal
from programme.handbooks import RecentHandbooks
from programme.holds.usual import UsualCalls
from programme.moment import Moment
from programme.people.slack_accounts import OwnTeam
from programme.price_book import PriceBook
from programme.value.standing import RecentFigures
from programme.vitals import Vitals
from store import replication, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from zoneinfo import ZoneInfo

    from store.engine import Database, Session


REPEATED = "repeated"
"""The code of what Slack, or someone who recorded it, sent again."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def nobody_looks(_person_id: str) -> None:
    """What becomes of a Home where nothing is shown, as in commands."""


@dataclass(frozen=True, slots=True)
class App:
    """Handed to every handler and command; `clock` is read once, at the edge."""

    database: Database
    zone: ZoneInfo
    clock: Callable[[], datetime] = utc_now
    prices: PriceBook = field(default_factory=PriceBook)
    recent_handbooks: RecentHandbooks = field(default_factory=RecentHandbooks)
    recent_standing: RecentFigures = field(default_factory=RecentFigures)
    own_team: OwnTeam = field(default_factory=OwnTeam)
    """The workspace of the bot itself: nobody of another one takes part."""
    usual_calls: UsualCalls = field(default_factory=UsualCalls)
    vitals: Vitals = field(default_factory=Vitals)
    governance_channel: str | None = None
    """Where the board decides; without one, each of its members gets a message of their own."""
    board_usergroup: str | None = None
    """The Slack user group of the board; without one, the people with role `board`."""
    recruiters_channel: str | None = None
    """Where recruiters are told of listings; without one, each of them gets a message of their own."""
    refresh_home: Callable[[str], None] = nobody_looks
    """Shows a person's Home anew, by their id, if they looked at it lately. It never raises."""
    slack_id: str = ""
    """Slack's own id of what is being done, if it came from there: nothing is done for it a second time."""

    def once(self, slack_id: str) -> App:
        """The app for one click, form, command or event: a second transaction under its id is refused."""
        return replace(self, slack_id=slack_id)

    @contextmanager
    def transaction(self, now: datetime | None = None) -> Iterator[Moment]:
        """A moment whose session commits at the end of the block, and rolls back when it raises."""
        with self.database.transaction() as session:
            moment = self.moment(session, now)
            if self.slack_id and not runs.take(session, self.slack_id, now=moment.now):
                raise Refusal(REPEATED, "I've done that already, so nothing was changed now.")
            yield moment

    @contextmanager
    def reading(self, now: datetime | None = None) -> Iterator[Moment]:
        """A moment for statements that only read."""
        with self.database.reading() as session:
            yield self.moment(session, now)

    @contextmanager
    def reporting(
        self,
        now: datetime | None = None,
        *,
        throughout: bool = False,
        same: Callable[[Session], object] | None = None,
    ) -> Iterator[Moment]:
        """A moment for what is only told: of the copy of the database if there is one, and of its time.

        Never for a balance or a decision. `throughout` and `same` are those of `replication.reporting`.
        """
        now = now or self.clock()
        with replication.reporting(self.database, now, throughout=throughout, same=same) as source:
            moment = self.moment(source.session, source.as_of or now)
            # What a copy says is not to be remembered as what is.
            yield moment if source.as_of is None else replace(moment, is_copied=True, recently=RecentHandbooks())

    @contextmanager
    def undone(self, now: datetime | None = None) -> Iterator[Moment]:
        """A moment whose changes are taken back at the end of the block, for what is only to be looked at."""
        with self.database.undone() as session:
            yield self.moment(session, now)

    def moment(self, session: Session, now: datetime | None = None) -> Moment:
        """A moment in a session that is open already: now, or another instant."""
        return Moment(
            session,
            now or self.clock(),
            self.zone,
            governance_channel=self.governance_channel,
            board_usergroup=self.board_usergroup,
            recruiters_channel=self.recruiters_channel,
            prices=self.prices,
            recently=self.recent_handbooks,
        )
