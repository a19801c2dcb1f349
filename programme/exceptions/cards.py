"""What the board, and the person who asked, see of a request: one view of its state, for every copy of its card."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from policy import exceptions
from policy.exceptions import CHAIR_AND_FINANCE
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from policy.value.valuation import worth
from programme.exceptions import asking, voting
from programme.people import board
from store.exceptions import requests as store
from store.people import board as board_store
from views.people import Named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from policy.exceptions import Electorate, Tally
    from programme.moment import Moment
    from store.exceptions.requests import Cast, Request
    from views.exceptions import Situation

PAST = 5


@dataclass(frozen=True, slots=True)
class VoteLine:
    """A vote as the card shows it; `stands_for` is the member whose delegate cast it."""

    who: Named
    stands_for: Named | None
    approves: bool
    amount: MicroTokens | None
    last_day: date | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question, and its answer once there is one."""

    asked_by: Named
    question: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier request of the same person, and what came of it."""

    made_at: datetime
    amount: MicroTokens
    state: str
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """A request with all that a decision needs.

    `awaited` are those who may vote now and have not; `recused` are (who, code). `worth` is at the value by which the
    request was judged.
    """

    request: Request
    situation: Situation
    requester: Named
    worth: NanoUSD
    granted_worth: NanoUSD
    beneficiaries: tuple[Named, ...]
    tally: Tally
    votes: tuple[VoteLine, ...]
    awaited: tuple[Named, ...]
    recused: tuple[tuple[Named, str], ...]
    decided_by: Named | None
    questions: tuple[Exchange, ...]
    past: tuple[Past, ...]
    left: MicroTokens

    @property
    def times_grant(self) -> Decimal | None:
        """How many monthly grants it is, to two decimals."""
        grant = self.situation.monthly_grant
        return (Decimal(int(self.request.amount)) / int(grant)).quantize(Decimal("0.01")) if grant else None

    @property
    def chair_and_finance(self) -> bool:
        return self.request.stage == CHAIR_AND_FINANCE


def of(moment: Moment, request_id: str) -> Card:
    """The card of a request as it stands; a Refusal for an unknown one."""
    request = store.get(moment.session, request_id)
    if request is None:
        raise Refusal("unknown_request", f"There is no request {request_id!r}.")
    situation = asking.situation_of(request)
    panel, votes = store.panel(moment.session, request), store.votes(moment.session, request.id)
    stand_ins = board.delegates(moment)
    questions, named = store.questions(moment.session, request.id), store.beneficiaries(moment.session, request.id)
    people = _Names(moment, request, panel, votes, [*named, *(q.asked_by for q in questions), *stand_ins.values()])
    today = moment.today
    standing = [v.vote for v in votes if not request.is_undecided or v.last_day is None or v.last_day >= today]
    have_voted = {vote.seat for vote in votes}
    gone = board_store.left(moment.session, [seat.person_id for seat in panel.seats], today)
    waiting = [seat.person_id for seat in panel.voting(request.stage) if seat.person_id not in have_voted | gone]
    earlier = [
        one
        for one in store.of_person(moment.session, request.person_id, limit=PAST * 2)
        if one.made_at < request.made_at
    ]
    return Card(
        request=request,
        situation=situation,
        requester=people[request.person_id],
        worth=worth(request.amount, situation.per_token),
        granted_worth=worth(request.granted or MicroTokens(0), situation.per_token),
        beneficiaries=tuple(people[id_] for id_ in sorted(named)),
        tally=exceptions.tally(panel, request.stage, standing),
        votes=tuple(_vote_line(vote, people) for vote in votes),
        awaited=tuple(people[stand_ins.get(id_, id_)] for id_ in waiting),
        recused=tuple((people[seat.person_id], seat.recused) for seat in panel.seats if seat.recused),
        decided_by=people.get(request.decided_by),
        questions=tuple(Exchange(people[q.asked_by], q.question, q.answer) for q in questions),
        past=tuple(Past(p.made_at, p.granted or p.amount, p.state, p.outcome) for p in earlier[:PAST]),
        left=MicroTokens(store.remaining(moment.session, request)) if request.entry_id else MicroTokens(0),
    )


class _Names:
    """Everyone whom a card names, read in one go."""

    def __init__(
        self, moment: Moment, request: Request, panel: Electorate, votes: Iterable[Cast], others: Iterable[str]
    ) -> None:
        wanted = {request.person_id, *(seat.person_id for seat in panel.seats), *(v.cast_by for v in votes), *others}
        if request.decided_by:
            wanted.add(request.decided_by)
        self._known: Mapping[str, tuple[str, str | None]] = store.names(moment.session, wanted)

    def __getitem__(self, person_id: str) -> Named:
        return Named(*self._known[person_id])

    def get(self, person_id: str | None) -> Named | None:
        return self[person_id] if person_id is not None and person_id in self._known else None


def _vote_line(vote: Cast, people: _Names) -> VoteLine:
    stands_for = people[vote.seat] if vote.cast_by != vote.seat else None
    return VoteLine(people[vote.cast_by], stands_for, vote.approves, vote.amount, vote.last_day, vote.reason)


def awaits(moment: Moment, card: Card, person_id: str) -> bool:
    """Whether a request still waits for someone's vote."""
    return _awaits(moment, card.request, person_id)


def _awaits(moment: Moment, request: Request, person_id: str) -> bool:
    if not request.is_undecided or moment.now >= request.lapse_at:
        return False
    votes = store.votes(moment.session, request.id)
    try:
        seat = voting.seat_of(moment, request, person_id, votes=votes)
    except Refusal:
        return False
    return seat.person_id not in {vote.seat for vote in votes}


@dataclass(frozen=True, slots=True)
class Queued:
    """A line of the board's queue; `awaits_reader` says that the reader's own vote is missing."""

    card: Card
    awaits_reader: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """What the board has to decide: the lines with the nearest deadlines, and how many more there are.

    `hidden` are those that the reader does not see, because they are concerned.
    """

    lines: tuple[Queued, ...]
    more: int
    hidden: int

    @property
    def count(self) -> int:
        return len(self.lines) + self.more


def queue(moment: Moment, person_id: str, *, most: int) -> Queue:
    """What the board has to decide, the nearest deadline first; a Refusal for those who have no seat."""
    if not board.has_seat(moment, person_id):
        raise Refusal("not_on_board", "The queue is for members of the board.")
    waiting = store.undecided(moment.session)
    shown = [request for request in waiting if may_see(moment, request, person_id)]
    lines = [Queued(of(moment, one.id), _awaits(moment, one, person_id)) for one in shown[:most]]
    return Queue(tuple(lines), max(len(shown) - most, 0), len(waiting) - len(shown))


def may_see(moment: Moment, request: Request, person_id: str) -> bool:
    """Whether someone may see a request outside of the board's channel: with a seat in it, and not concerned."""
    if asking.concerned_by(moment, request).recusal_of(person_id):
        return False
    panel = store.panel(moment.session, request)
    stand_ins = board.delegates(moment)
    mine = {person_id} | {member for member, delegate in stand_ins.items() if delegate == person_id}
    return any(
        seat.person_id in mine and not seat.recused and (seat.counts or panel.may_vote(seat, request.stage))
        for seat in panel.seats
    )


def mine(moment: Moment, person_id: str, *, limit: int) -> tuple[Card, ...]:
    """A person's own requests, the latest first."""
    return tuple(of(moment, one.id) for one in store.of_person(moment.session, person_id, limit=limit))
