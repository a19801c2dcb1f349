"""Who may vote on a request, whom else it is about, and how they voted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from policy.exceptions import STAGE_OF, Electorate, Seat, Vote
from policy.units import MicroTokens
from store import bulk
from store.people import board
from store.tables.exceptions import request_beneficiaries, request_seats, request_votes, requests
from store.tables.people import people, projects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from store.engine import Session
    from store.exceptions.requests import Request
    from store.people.board import Attendee

_r = requests.c


class Parties(NamedTuple):
    """Those whom a request is about besides its requester: who else uses the tokens, and whose project it is for."""

    beneficiaries: frozenset[str]
    sponsor: str | None


_b, _s, _v = request_beneficiaries.c, request_seats.c, request_votes.c


def _parties(request_ids: Iterable[str], rows: Iterable[Sequence[Any]]) -> dict[str, Parties]:
    """The parties of each request, with the sponsor that its project has by now."""
    named: dict[str, set[str]] = {request_id: set() for request_id in request_ids}
    sponsors: dict[str, str] = {}
    for request_id, person_id, sponsors_it in rows:
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


Which = Callable[[sa.ColumnElement[Any]], sa.ColumnElement[bool]]
"""Of which requests something is read: a condition of a column with their ids."""


def _polled(of: Which) -> sa.Select[Any]:
    return (
        sa.select(
            *(_s.request_id, _s.person_id, _s.kind, _s.is_chair, _s.is_finance, _s.recused),
            *(_v[name].label(f"vote_{name}") for name in StoredVote._fields),
        )
        .outerjoin_from(request_seats, request_votes, sa.and_(_v.request_id == _s.request_id, _v.seat == _s.person_id))
        .where(of(_s.request_id))
    )


def _partial_to(of: Which) -> sa.CompoundSelect[Any]:
    sponsors = sa.select(_r.id, projects.c.sponsor_id, sa.true()).join(projects, projects.c.key == _r.project_key)
    named = sa.select(_b.request_id, _b.person_id, sa.false().label("sponsors_it"))
    return sa.union_all(named.where(of(_b.request_id)), sponsors.where(of(_r.id)))


def kept(of: Which, also: sa.ColumnElement[bool]) -> tuple[sa.Select[Any] | sa.CompoundSelect[Any], ...]:
    """What is read about some requests, for `about_of`; `also` says which people are wanted besides those in them."""
    named = sa.union(
        sa.select(_s.person_id).where(of(_s.request_id)),
        sa.select(_v.cast_by).where(of(_v.request_id)),
        sa.select(_b.person_id).where(of(_b.request_id)),
        sa.select(_r.person_id).where(of(_r.id)),
        sa.select(_r.decided_by).where(of(_r.id), _r.decided_by.is_not(None)),
        sa.select(people.c.id).where(also),
    )
    return _polled(of), _partial_to(of), board.attending(named.subquery("named"))


def _of_some(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return bulk.is_among(column, sa.bindparam("ids", type_=bulk.Some()))


_polls_alone = bulk.Typed(_polled(_of_some))


def polls(session: Session, some: Iterable[Request]) -> dict[str, Poll]:
    """Who may vote on each request, and how they voted."""
    by_id = {request.id: request for request in some}
    found: dict[str, Poll] = {}
    for ids in bulk.chunks(sorted(by_id)):
        asked = {id_: by_id[id_] for id_ in ids}
        found |= _polls(asked, _polls_alone.execute(session, {"ids": ids}))
    return found


def _polls(by_id: Mapping[str, Request], rows: Iterable[Sequence[Any]]) -> dict[str, Poll]:
    seats: dict[str, list[Seat]] = {request_id: [] for request_id in by_id}
    votes: dict[str, list[StoredVote]] = {request_id: [] for request_id in by_id}
    for request_id, person_id, kind, is_chair, is_finance, recused, *vote in rows:
        seats[request_id].append(Seat(person_id, kind, bool(is_chair), bool(is_finance), recused))
        if vote[0] is not None:
            votes[request_id].append(_vote(*vote))
    return {
        id_: Poll(
            Electorate(_in_order(seats[id_]), request.needed, request.needs_finance, request.first_stage),
            sorted(votes[id_], key=lambda vote: (vote.cast_at, vote.seat)),
        )
        for id_, request in by_id.items()
    }


def _vote(*columns: Any) -> StoredVote:  # noqa: ANN401 - of a row, or of JSON
    seat, by, approves, amount, last_day, reason, at = columns
    in_tokens = None if amount is None else MicroTokens(amount)
    day = None if last_day is None else bulk.read_day(last_day)
    return StoredVote(seat, by, bool(approves), in_tokens, day, reason, bulk.read_instant(at))


class About(NamedTuple):
    """All that is kept of some requests, by request, and whoever that names as they are today, by person."""

    polls: dict[str, Poll]
    parties: dict[str, Parties]
    attendees: dict[str, Attendee]


_kept = kept(_of_some, bulk.is_among(people.c.id, sa.bindparam("also", type_=bulk.Some())))
_texts: list[sa.ColumnElement[Any]] = [bulk.as_json(one) for one in _kept]
_about = bulk.Typed(sa.select(*_texts))


def about(session: Session, some: Iterable[Request], also: Iterable[str], today: date) -> About:
    """What is kept of requests, in one statement; `also` are people who are asked for besides."""
    by_id = {request.id: request for request in some}
    [texts] = _about.execute(session, {"ids": list(by_id), "also": list(also), "today": today})
    return about_of(by_id, *texts)


def about_of(by_id: Mapping[str, Request], polled: str, parties: str, attendees: str) -> About:
    """What is kept of requests, from what was read as JSON."""
    rows = bulk.of_json(parties)
    return About(_polls(by_id, bulk.of_json(polled)), _parties(by_id, rows), board.attendees(bulk.of_json(attendees)))


_KEPT = ("cast_by", "approves", "amount", "last_day", "reason", "cast_at")


def _casting(insert: Callable[[sa.Table], Any]) -> bulk.Typed:
    begun = insert(request_votes).values({column: sa.bindparam(column.name, type_=column.type) for column in _v})
    told = {name: begun.excluded[name] for name in _KEPT}
    return bulk.Typed(begun.on_conflict_do_update(index_elements=["request_id", "seat"], set_=told))


_CAST_POSTGRESQL, _CAST_SQLITE = _casting(postgresql.insert), _casting(sqlite.insert)


def cast(session: Session, request_id: str, vote: StoredVote) -> None:
    """Keep the vote of a seat, in place of the one it had."""
    values = vote._asdict() | {"amount": None if vote.amount is None else int(vote.amount)}
    kept = _CAST_POSTGRESQL if bulk.is_postgresql(session) else _CAST_SQLITE
    kept.change(session, {"request_id": request_id, **values})
