"""What the board, and the person who asked, see of a request: one view of its state, for every copy of its card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.exceptions import CHAIR_AND_FINANCE
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from policy.value.valuation import worth
from programme.exceptions.request import case_of, cases, require
from programme.people import board
from store.exceptions import questions as questions_store
from store.exceptions import requests as store
from views.people import PersonName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from policy.exceptions import Tally
    from programme.exceptions.request import Case
    from programme.moment import Moment
    from store.exceptions.questions import Question
    from store.exceptions.requests import Request
    from store.exceptions.votes import StoredVote
    from store.people.board import Attendee
    from views.exceptions import Situation

PAST = 5


@dataclass(frozen=True, slots=True)
class VoteLine:
    """A vote as the card shows it; `stands_for` is the member whose delegate cast it."""

    who: PersonName
    stands_for: PersonName | None
    approves: bool
    amount: MicroTokens | None
    last_day: date | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question, and its answer once there is one."""

    asked_by: PersonName
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
    requester: PersonName
    worth: NanoUSD
    granted_worth: NanoUSD
    beneficiaries: tuple[PersonName, ...]
    tally: Tally
    votes: tuple[VoteLine, ...]
    awaited: tuple[PersonName, ...]
    recused: tuple[tuple[PersonName, str], ...]
    decided_by: PersonName | None
    questions: tuple[Exchange, ...]
    past: tuple[Past, ...]
    left: MicroTokens
    is_overdue: bool = False
    """Its time is over, and the calendar has not closed it yet."""
    is_over: bool = False
    """What was granted has ended."""

    @property
    def chair_and_finance(self) -> bool:
        return self.request.stage == CHAIR_AND_FINANCE


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


def of(moment: Moment, request_id: str) -> Card:
    """The card of a request as it stands; a Refusal for an unknown one."""
    return of_many(moment, [require(moment, request_id)])[request_id]


def of_many(moment: Moment, some: Iterable[Request]) -> dict[str, Card]:
    """The cards of some requests by their ids, in as many statements as one takes."""
    return _cards(moment, _files(moment, list(some)))


def for_reader(moment: Moment, request_id: str, reader: str) -> Queued:
    """A request as one of those sees it who may have to vote on it."""
    files = _files(moment, [require(moment, request_id)], reader)
    return Queued(_cards(moment, files)[request_id], files[0].case.awaits(moment, reader))


def queue(moment: Moment, person_id: str, *, most: int) -> Queue:
    """What the board has to decide, the nearest deadline first; a Refusal for those who have no seat."""
    if not board.has_seat(moment, person_id):
        raise Refusal("not_on_board", "The queue is for members of the board.")
    waiting = _files(moment, store.undecided(moment.session), person_id)
    visible = [file for file in waiting if file.case.may_see(person_id)]
    shown = visible[:most]
    card_of = _cards(moment, shown)
    lines = [Queued(card_of[file.case.request.id], file.case.awaits(moment, person_id)) for file in shown]
    return Queue(tuple(lines), len(visible) - len(shown), len(waiting) - len(visible))


def may_see(moment: Moment, request: Request, person_id: str) -> bool:
    """Whether someone may see a request outside of the board's channel: with a seat in it, and not concerned."""
    return case_of(moment, request, person_id).may_see(person_id)


def mine(moment: Moment, person_id: str, *, limit: int) -> tuple[Card, ...]:
    """A person's own requests, the latest first."""
    return tuple(of_many(moment, store.of_person(moment.session, person_id, limit=limit)).values())


# --- Reading and writing a card ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _File:
    """A request, and what was asked about it."""

    case: Case
    questions: Sequence[Question]


def _files(moment: Moment, some: Sequence[Request], *readers: str) -> list[_File]:
    questions = questions_store.of_requests(moment.session, [request.id for request in some])
    askers = (one.asked_by for asked in questions.values() for one in asked)
    found = cases(moment, some, *readers, *askers)
    return [_File(found[request.id], questions[request.id]) for request in some]


def _cards(moment: Moment, files: Sequence[_File]) -> dict[str, Card]:
    some = [file.case.request for file in files]
    earlier = store.of_people(moment.session, {request.person_id for request in some}, limit=PAST * 2)
    left = store.remaining_of(moment.session, [request for request in some if request.entry_id])
    return {
        request.id: _card(moment, file, earlier[request.person_id], left.get(request.id, 0))
        for request, file in zip(some, files, strict=True)
    }


def _card(moment: Moment, file: _File, requests: Iterable[Request], left: int) -> Card:
    case, situation = file.case, file.case.situation
    request, people = case.request, _Names(case.attendees)
    earlier = [one for one in requests if one.made_at < request.made_at]
    return Card(
        request=request,
        situation=situation,
        requester=people[request.person_id],
        worth=worth(request.amount, situation.per_token),
        granted_worth=worth(request.granted or MicroTokens(0), situation.per_token),
        beneficiaries=tuple(people[id_] for id_ in sorted(case.beneficiaries)),
        tally=case.tally(moment.today),
        votes=tuple(_vote_line(vote, people) for vote in case.votes),
        awaited=tuple(people.voter_for(seat.person_id) for seat in case.silent()),
        recused=tuple((people[seat.person_id], seat.recused) for seat in case.panel.seats if seat.recused),
        decided_by=people.get(request.decided_by),
        questions=tuple(Exchange(people[one.asked_by], one.question, one.answer) for one in file.questions),
        past=tuple(Past(one.made_at, one.granted or one.amount, one.state, one.outcome) for one in earlier[:PAST]),
        left=MicroTokens(left),
        is_overdue=request.is_undecided and request.lapse_at <= moment.now,
        is_over=request.granted_last_day is not None and request.granted_last_day < moment.today,
    )


class _Names:
    """Those whom a card names."""

    def __init__(self, attendees: Mapping[str, Attendee]) -> None:
        self._attendees = attendees

    def __getitem__(self, person_id: str) -> PersonName:
        one = self._attendees[person_id]
        return PersonName(one.name, one.slack_user_id)

    def get(self, person_id: str | None) -> PersonName | None:
        return self[person_id] if person_id is not None and person_id in self._attendees else None

    def voter_for(self, seat: str) -> PersonName:
        """The person of a seat, or whoever stands in for them."""
        one = self._attendees[seat]
        return (
            PersonName(one.delegate_name, one.delegate_slack_user_id) if one.delegate_name is not None else self[seat]
        )


def _vote_line(vote: StoredVote, people: _Names) -> VoteLine:
    stands_for = people[vote.seat] if vote.cast_by != vote.seat else None
    return VoteLine(people[vote.cast_by], stands_for, vote.approves, vote.amount, vote.last_day, vote.reason)
