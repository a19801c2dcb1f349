"""Everything that a person's Home shows, gathered in one go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.reasons import Refusal
from policy.warnings import ALL
from programme import waiting
from programme.balance import balance, burn_down
from programme.exceptions import cards
from programme.holds import limits
from programme.people import board
from programme.reports.team import team_report
from programme.reviews import calls
from programme.value.standing import RecentFigures
from programme.waiting import NOTHING, Waiting
from store.balance import warnings as warnings_store
from store.exceptions import requests as requests_store
from store.people import board as board_store

if TYPE_CHECKING:
    from datetime import date

    from policy.handbook import Handbook
    from programme.exceptions.cards import Card, Queue
    from programme.moment import Moment
    from store.exceptions.requests import Request
    from store.people.directory import Person
    from views.balance import BalanceCard, BurnDown
    from views.holds import CapTold
    from views.reports import TeamReport
    from views.reviews import Call
    from views.value import ProgrammeFigures

MOST_REQUESTS, MOST_READ = 3, 100
MOST_CARDS = 5
DECIDED_LATELY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Requests:
    """What someone asked for and waits for, or was told lately, the latest first; and how many more there are."""

    cards: tuple[Card, ...]
    more: int


@dataclass(frozen=True, slots=True)
class WarningsWanted:
    """At which percentages someone is warned, and from and until which hour not; both hours are equal for never."""

    percent: tuple[int, ...]
    quiet_from: int
    quiet_until: int

    @property
    def is_quiet_at_times(self) -> bool:
        return self.quiet_from != self.quiet_until


@dataclass(frozen=True, slots=True)
class Board:
    """What waits for the board; its standing is for those who have a seat, not for who stands in for one of them.

    `stands_in_until` is the day until which someone else votes for them; `waiting` is what else they may decide.
    """

    queue: Queue
    standing: ProgrammeFigures | None
    stands_in_until: date | None
    waiting: Waiting = NOTHING


@dataclass(frozen=True, slots=True)
class Home:
    """A person's own figures; for managers their team, for the board its work and the programme's standing.

    `services` are (name, tokens this month), the largest first. `left_on` is set once someone has left. `review` is
    the one on which they may vote.
    """

    card: BalanceCard
    services: tuple[tuple[str, object], ...]
    burn_down: BurnDown | None
    requests: Requests
    warnings: WarningsWanted
    team: TeamReport | None
    board: Board | None
    left_on: date | None
    contact: str
    review: Call | None = None
    near_caps: tuple[CapTold, ...] = ()


def of(moment: Moment, person: Person, standing: RecentFigures | None = None) -> Home:
    """What a person sees of the programme. Their own figures, and what they may see of others, are all that is read."""
    card = balance.of_email(moment, person.email)
    assert card is not None  # noqa: S101 - the person is there
    today = moment.today
    books = moment.recent_handbooks
    names = {service.key: service.name for book in books.versions for service in book.services}
    has_left = person.left_on is not None and person.left_on < today
    return Home(
        card=card,
        services=tuple((names.get(key, key), spent) for key, spent in card.services),
        burn_down=None if has_left else burn_down.of(moment, card),
        requests=Requests((), 0) if has_left else _requests(moment, person),
        warnings=_warnings(moment, person, books.on(today)),
        team=None if has_left else team_report(moment, person.id),
        board=None if has_left else _board(moment, person, standing or RecentFigures()),
        left_on=person.left_on if has_left else None,
        contact=books.versions[-1].contact,
        review=None if has_left else calls.of(moment, person.id),
        near_caps=() if has_left else limits.near(moment, person.id),
    )


def _requests(moment: Moment, person: Person) -> Requests:
    def matters(request: Request) -> bool:
        return request.is_undecided or moment.now - (request.decided_at or request.made_at) < DECIDED_LATELY

    everything = requests_store.of_person(moment.session, person.id, limit=MOST_READ)
    shown = [request for request in everything if matters(request)][:MOST_REQUESTS]
    found = cards.of_many(moment, shown)
    return Requests(tuple(found.values()), len(everything) - len(shown))


def _warnings(moment: Moment, person: Person, book: Handbook) -> WarningsWanted:
    choice = warnings_store.choice(moment.session, person.id)
    wanted = (p for p in book.warnings.percent if choice.percent is None or p in choice.percent or p == ALL)
    return WarningsWanted(tuple(wanted), choice.quiet_from, choice.quiet_until)


def _board(moment: Moment, person: Person, recent: RecentFigures) -> Board | None:
    """The board's work, for those who have a seat or stand in for someone who has."""
    try:
        queue = cards.queue(moment, person.id, most=MOST_CARDS)
    except Refusal:
        return None
    handed = board_store.delegations_on(moment.session, moment.today).get(person.id)
    sits = any(seat.person_id == person.id for seat in board.seats(moment))
    standing = recent.get(moment) if sits else None
    return Board(queue, standing, handed.last_day if handed else None, waiting.of(moment, person.id))
