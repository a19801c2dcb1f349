"""A request with all by which it is decided: who may vote, who voted, who is concerned, and how it moves on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from policy import exceptions
from policy.exceptions import Attendance, ConcernedPeople
from policy.reasons import Refusal
from programme import decisions
from programme.decisions import Topic
from store import audit, runs
from store.exceptions import held as held_store
from store.exceptions import requests as store
from store.exceptions import votes as votes_store
from views import codec
from views.exceptions import Situation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from policy.exceptions import Electorate, Seat, Tally, Vote
    from programme.moment import Moment
    from store.audit import Place
    from store.exceptions.requests import Request
    from store.exceptions.votes import StoredVote
    from store.outbox.messages import Copy
    from store.people.board import Attendee

REQUEST = Topic(
    "request",
    undecided=frozenset(store.UNDECIDED),
    said={
        store.OPEN: "is still open",
        store.APPROVED: "was approved",
        store.REJECTED: "was rejected",
        store.LAPSED: "has lapsed",
        store.WITHDRAWN: "was withdrawn",
        store.CREDITED: "is already credited and waiting to be ratified",
        store.RATIFIED: "was ratified",
        store.NOT_RATIFIED: "was not ratified",
    },
)


@dataclass(frozen=True, slots=True)
class Case:
    """A request, its electorate, the votes so far, and the people of both as they are today."""

    request: Request
    panel: Electorate
    votes: Sequence[StoredVote]
    beneficiaries: frozenset[str]
    sponsor: str | None
    attendees: Mapping[str, Attendee]
    copies: Sequence[Copy] | None = None
    """Of a request that is held: its messages that stand for themselves."""
    has_failures: bool = True
    """Whether steps of it failed, as far as is known."""

    @property
    def situation(self) -> Situation:
        return situation_of(self.request)

    @property
    def concerned(self) -> ConcernedPeople:
        """Those who cannot vote on it: as it was when it was made, and whoever has become concerned since."""
        then, requester = self.situation, self.request.person_id
        return ConcernedPeople(
            requester,
            _those(self.attendees[requester].manager_id, then.manager),
            _those(self.sponsor, then.sponsor),
            self.beneficiaries,
        )

    @property
    def delegates(self) -> dict[str, str]:
        """Who stands in for whom today: delegate by member."""
        return {id_: one.delegate_id for id_, one in self.attendees.items() if one.delegate_id is not None}

    @property
    def left(self) -> frozenset[str]:
        return frozenset(id_ for id_, one in self.attendees.items() if one.has_left)

    def with_vote(self, cast: StoredVote) -> Case:
        """The case with a vote in place of what its seat had voted."""
        return replace(self, votes=[*(one for one in self.votes if one.seat != cast.seat), cast])

    def tally(self, today: date, stage: int | None = None) -> Tally:
        """What the votes come to at the stage of the request, or at another."""
        return exceptions.tally(self.panel, self.request.stage if stage is None else stage, self.standing(today))

    def standing(self, today: date) -> list[Vote]:
        """The votes that count: of an undecided request, an approval until a day that is over no longer does."""
        decided = not self.request.is_undecided
        return [one.vote for one in self.votes if decided or one.last_day is None or one.last_day >= today]

    def seat_for(self, person_id: str) -> Seat:
        """The seat for which someone may vote now; a Refusal says why there is none."""
        today = Attendance(
            delegates=self.delegates,
            left=self.left,
            bystanders=frozenset(id_ for id_, one in self.attendees.items() if one.is_bystander),
            voted_for={one.cast_by: one.seat for one in self.votes},
        )
        return exceptions.seat_for(self.panel, self.request.stage, person_id, self.concerned, today)

    def may_see(self, person_id: str) -> bool:
        """Whether someone may see it outside of the board's channel: with a seat in it, and not concerned."""
        if self.concerned.recusal_of(person_id):
            return False
        delegates, stage = self.delegates, self.request.stage
        return any(
            person_id in {seat.person_id, delegates.get(seat.person_id)}
            and not seat.recused
            and (seat.counts or self.panel.may_vote(seat, stage))
            for seat in self.panel.seats
        )

    def awaits(self, moment: Moment, person_id: str) -> bool:
        """Whether it still waits for someone's vote."""
        if not self.request.is_undecided or moment.now >= self.request.lapse_at:
            return False
        try:
            seat = self.seat_for(person_id)
        except Refusal:
            return False
        return seat.person_id not in {vote.seat for vote in self.votes}

    def silent(self) -> list[Seat]:
        """The seats that are called to vote, have not, and are not of someone who left."""
        settled = {vote.seat for vote in self.votes} | self.left
        return [seat for seat in self.panel.voting(self.request.stage) if seat.person_id not in settled]


def _those(*person_ids: str | None) -> frozenset[str]:
    return frozenset(id_ for id_ in person_ids if id_ is not None)


def cases(moment: Moment, some: Iterable[Request], *also: str) -> dict[str, Case]:
    """Many requests in as many statements as one; `also` are readers and voters beside those whom they name."""
    asked = list(some)
    if not asked:
        return {}
    kept = votes_store.about(moment.session, asked, also, moment.today)
    return {one.id: Case(one, *kept.polls[one.id], *kept.parties[one.id], kept.attendees) for one in asked}


def case_of(moment: Moment, request: Request, *also: str) -> Case:
    return cases(moment, [request], *also)[request.id]


def held_case(moment: Moment, request_id: str, voter_id: str = "") -> Case:
    """A request with all of that, held until the transaction ends; a Refusal for an unknown one."""
    found = held_store.hold(moment.session, request_id, voter_id, moment.today)
    held = decisions.require_known(found, REQUEST, request_id)
    kept, request = held.about, held.request
    poll, parties = kept.polls[request.id], kept.parties[request.id]
    return Case(request, *poll, *parties, kept.attendees, held.copies, held.has_failures)


def situation_of(request: Request) -> Situation:
    return codec.read(Situation, request.situation)


def require(moment: Moment, request_id: str) -> Request:
    """A request as it stands; a Refusal for an unknown one."""
    return decisions.require_known(store.get(moment.session, request_id), REQUEST, request_id)


def locked(moment: Moment, request_id: str) -> Request:
    """A request, held until the transaction ends; a Refusal for an unknown one."""
    return decisions.require_known(store.lock(moment.session, request_id), REQUEST, request_id)


def require_undecided(moment: Moment, request: Request) -> None:
    """A Refusal that says what became of a request, where there is nothing left to decide."""
    # One vote against it is only the last of those by which a break-glass is not ratified.
    by = None if request.state == store.NOT_RATIFIED else request.decided_by
    decisions.require_undecided(moment, REQUEST, request.state, by, until=request.lapse_at)


def move(moment: Moment, request: Request, **values: object) -> Request:
    """The request after a change; what was read is what is changed, or nothing is."""
    moved = decisions.require_first(store.change(moment.session, request, **values))
    if "state" in values:
        runs.forget_steps(moment.session, request.id)
    return moved


def move_case(moment: Moment, case: Case, **values: object) -> Request:
    """The same, where it is known whether there are steps to be forgotten."""
    if case.has_failures:
        return move(moment, case.request, **values)
    return decisions.require_first(store.change(moment.session, case.request, **values))


def note(
    moment: Moment,
    request: Request,
    actor: str,
    action: str,
    *,
    before: Mapping[str, object] | None = None,
    place: Place = audit.NOWHERE,
    **after: object,
) -> None:
    """Record what was done about a request, with the state that it has by now."""
    audit.note(
        moment.session,
        actor,
        action,
        request.id,
        at=moment.now,
        before=before,
        after={"state": request.state, **after},
        handbook_version=request.handbook_version,
        place=place,
    )
