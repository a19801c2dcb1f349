"""Who may vote on a request, whom else it is about, and how they voted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from policy.exceptions import STAGE_OF, Electorate, Seat, Vote
from policy.units import MicroTokens
from store import bulk
from store.tables.exceptions import request_beneficiaries, request_seats, request_votes, requests
from store.tables.people import projects

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from store.engine import Session
    from store.exceptions.requests import Request

_r = requests.c


class Parties(NamedTuple):
    """Those whom a request is about besides its requester: who else uses the tokens, and whose project it is for."""

    beneficiaries: frozenset[str]
    sponsor: str | None


def parties_of(session: Session, request_ids: Iterable[str]) -> dict[str, Parties]:
    """The parties of each request, with the sponsor that its project has by now."""
    named: dict[str, set[str]] = {request_id: set() for request_id in request_ids}
    sponsors: dict[str, str] = {}
    b = request_beneficiaries.c
    used_by = sa.select(b.request_id, b.person_id, sa.false())
    paid_by = sa.select(_r.id, projects.c.sponsor_id, sa.true()).join(projects, projects.c.key == _r.project_key)
    for ids in bulk.chunks(sorted(named)):
        query = sa.union_all(used_by.where(b.request_id.in_(ids)), paid_by.where(_r.id.in_(ids)))
        for request_id, person_id, sponsors_it in session.execute(query):
            if sponsors_it:
                sponsors[request_id] = person_id
            else:
                named[request_id].add(person_id)
    return {id_: Parties(frozenset(some), sponsors.get(id_)) for id_, some in named.items()}


def _in_order(seats: Iterable[Seat]) -> tuple[Seat, ...]:
    return tuple(sorted(seats, key=lambda seat: (STAGE_OF[seat.kind], seat.person_id)))


class StoredVote(NamedTuple):
    """A vote as it was cast."""

    seat: str
    cast_by: str
    approves: bool
    amount: MicroTokens | None
    last_day: date | None
    reason: str | None
    cast_at: datetime

    @property
    def vote(self) -> Vote:
        return Vote(self.seat, self.approves, self.amount, self.last_day)


class Poll(NamedTuple):
    """The electorate of a request, and the votes in the order in which they were cast."""

    panel: Electorate
    votes: list[StoredVote]


def polls(session: Session, some: Iterable[Request]) -> dict[str, Poll]:
    """Who may vote on each request, and how they voted."""
    by_id = {request.id: request for request in some}
    seats: dict[str, list[Seat]] = {request_id: [] for request_id in by_id}
    votes: dict[str, list[StoredVote]] = {request_id: [] for request_id in by_id}
    s, v = request_seats.c, request_votes.c
    vote_of = sa.and_(v.request_id == s.request_id, v.seat == s.person_id)
    query = sa.select(
        s.request_id,
        s.person_id,
        s.kind,
        s.is_chair,
        s.is_finance,
        s.recused,
        *(v[name] for name in StoredVote._fields),
    ).outerjoin_from(request_seats, request_votes, vote_of)
    for ids in bulk.chunks(sorted(by_id)):
        for request_id, *row in session.execute(query.where(s.request_id.in_(ids))):
            seat, vote = row[:5], row[5:]
            seats[request_id].append(Seat(*seat))
            if vote[0] is not None:
                votes[request_id].append(_in_tokens(StoredVote._make(vote)))
    return {
        id_: Poll(
            Electorate(_in_order(seats[id_]), request.needed, request.needs_finance, request.first_stage),
            sorted(votes[id_], key=lambda vote: (vote.cast_at, vote.seat)),
        )
        for id_, request in by_id.items()
    }


def _in_tokens(vote: StoredVote) -> StoredVote:
    return vote if vote.amount is None else vote._replace(amount=MicroTokens(vote.amount))


def cast(session: Session, request_id: str, vote: StoredVote) -> None:
    """Keep the vote of a seat, in place of the one it had."""
    values = vote._asdict() | {"amount": None if vote.amount is None else int(vote.amount)}
    insert = postgresql.insert if bulk.is_postgresql(session) else sqlite.insert
    kept = insert(request_votes).values(request_id=request_id, **values)
    session.execute(kept.on_conflict_do_update(index_elements=["request_id", "seat"], set_=values))
