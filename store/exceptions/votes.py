"""Who may vote on a request, whom else it is about, and how they voted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from policy.exceptions import STAGE_OF, Electorate, Seat, Vote
from policy.units import MicroTokens
from store import bulk
from store.tables.exceptions import request_beneficiaries, request_seats, request_votes, requests
from store.tables.people import projects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime

    from store.engine import Session
    from store.exceptions.requests import Request

_r = requests.c


class Parties(NamedTuple):
    """Those whom a request is about besides its requester: who else uses the tokens, and whose project it is for."""

    beneficiaries: frozenset[str]
    sponsor: str | None


_b, _s, _v = request_beneficiaries.c, request_seats.c, request_votes.c
_ids: sa.BindParameter[list[str]] = sa.bindparam("ids", expanding=True)
_PARTIES = sa.union_all(
    sa.select(_b.request_id, _b.person_id, sa.false()).where(_b.request_id.in_(_ids)),
    sa.select(_r.id, projects.c.sponsor_id, sa.true())
    .join(projects, projects.c.key == _r.project_key)
    .where(_r.id.in_(_ids)),
)


def parties_of(session: Session, request_ids: Iterable[str]) -> dict[str, Parties]:
    """The parties of each request, with the sponsor that its project has by now."""
    named: dict[str, set[str]] = {request_id: set() for request_id in request_ids}
    sponsors: dict[str, str] = {}
    for ids in bulk.chunks(sorted(named)):
        for request_id, person_id, sponsors_it in session.execute(_PARTIES, {"ids": ids}):
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


_POLLS = (
    sa.select(
        *(_s.request_id, _s.person_id, _s.kind, _s.is_chair, _s.is_finance, _s.recused),
        *(_v[name] for name in StoredVote._fields),
    )
    .outerjoin_from(request_seats, request_votes, sa.and_(_v.request_id == _s.request_id, _v.seat == _s.person_id))
    .where(_s.request_id.in_(_ids))
)


def polls(session: Session, some: Iterable[Request]) -> dict[str, Poll]:
    """Who may vote on each request, and how they voted."""
    by_id = {request.id: request for request in some}
    seats: dict[str, list[Seat]] = {request_id: [] for request_id in by_id}
    votes: dict[str, list[StoredVote]] = {request_id: [] for request_id in by_id}
    for ids in bulk.chunks(sorted(by_id)):
        for request_id, *row in session.execute(_POLLS, {"ids": ids}):
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


_KEPT = ("cast_by", "approves", "amount", "last_day", "reason", "cast_at")


def _casting(insert: Callable[[sa.Table], Any]) -> sa.Insert:
    begun = insert(request_votes)
    told = {name: begun.excluded[name] for name in _KEPT}
    kept: sa.Insert = begun.on_conflict_do_update(index_elements=["request_id", "seat"], set_=told)
    return kept


_CAST_POSTGRESQL, _CAST_SQLITE = _casting(postgresql.insert), _casting(sqlite.insert)


def cast(session: Session, request_id: str, vote: StoredVote) -> None:
    """Keep the vote of a seat, in place of the one it had."""
    values = vote._asdict() | {"amount": None if vote.amount is None else int(vote.amount)}
    kept = _CAST_POSTGRESQL if bulk.is_postgresql(session) else _CAST_SQLITE
    session.execute(kept, {"request_id": request_id, **values})
