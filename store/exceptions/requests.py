"""Requests for exceptions: what was asked, who may vote, how they voted, what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from policy.exceptions import STAGE_OF, Electorate, Seat, Vote
from policy.units import MicroTokens
from store import bulk
from store.tables.exceptions import (
    request_beneficiaries,
    request_drafts,
    request_questions,
    request_seats,
    request_votes,
    requests,
)
from store.tables.ledger import lots
from store.tables.people import projects
from store.tables.usage import services

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from store.engine import Session

OPEN, APPROVED, REJECTED, LAPSED, WITHDRAWN = "open", "approved", "rejected", "lapsed", "withdrawn"
CREDITED, RATIFIED, NOT_RATIFIED = "credited", "ratified", "not_ratified"
"""Of a break-glass: it is credited before anyone decides."""
UNDECIDED = (OPEN, CREDITED)

_r = requests.c


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it stands; `project` and `service` are names."""

    id: str
    person_id: str
    class_name: str
    state: str
    revision: int
    amount: MicroTokens
    purpose: str
    project_key: str | None
    service_key: str | None
    last_day: date
    incident: str | None
    situation: Mapping[str, Any]
    handbook_version: str
    made_at: datetime
    needed: int
    needs_finance: bool
    first_stage: int
    stage: int
    remind_at: datetime
    escalate_at: datetime
    last_call_at: datetime
    lapse_at: datetime
    next_step: str | None
    next_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    granted: MicroTokens | None
    granted_last_day: date | None
    entry_id: int | None
    netted: MicroTokens | None
    netted_month: str | None
    outcome: str | None
    outcome_note: str | None
    project: str | None
    service: str | None

    @property
    def is_undecided(self) -> bool:
        return self.state in UNDECIDED

    @property
    def is_credited_first(self) -> bool:
        """A break-glass: it was credited before anyone decided."""
        return self.incident is not None

    @property
    def counts(self) -> MicroTokens:
        """What it weighs when later requests are classified: what was credited, or what is still asked for."""
        if self.granted is not None:
            return self.granted
        return self.amount if self.is_undecided else MicroTokens(0)


_AMOUNTS = ("amount", "granted", "netted")
_COLUMNS = [name for name in Request.__dataclass_fields__ if name not in {"project", "service"}]
_query = (
    sa.select(*(_r[name] for name in _COLUMNS), projects.c.name.label("project"), services.c.name.label("service"))
    .select_from(requests)
    .outerjoin(projects, projects.c.key == _r.project_key)
    .outerjoin(services, services.c.key == _r.service_key)
)


def _request(row: Any) -> Request:  # noqa: ANN401 - a row of the query above
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    for name in _AMOUNTS:
        if values[name] is not None:
            values[name] = MicroTokens(values[name])
    return Request(**values)


def lock(session: Session, request_id: str) -> Request | None:
    """A request, held until the transaction ends, so that votes on it follow one another; None when there is none."""
    row = session.execute(_query.where(_r.id == request_id).with_for_update(of=requests)).one_or_none()
    return _request(row) if row else None


def get(session: Session, request_id: str) -> Request | None:
    row = session.execute(_query.where(_r.id == request_id)).one_or_none()
    return _request(row) if row else None


def by_key(session: Session, idempotency_key: str) -> Request | None:
    row = session.execute(_query.where(_r.idempotency_key == idempotency_key)).one_or_none()
    return _request(row) if row else None


def of_person(session: Session, person_id: str, *, limit: int | None = None) -> list[Request]:
    """A person's requests, the latest first."""
    query = _query.where(_r.person_id == person_id).order_by(_r.made_at.desc(), _r.id).limit(limit)
    return [_request(row) for row in session.execute(query)]


def since(session: Session, person_id: str, instant: datetime) -> list[Request]:
    """What someone asked for after an instant, oldest first."""
    query = _query.where(_r.person_id == person_id, _r.made_at > instant).order_by(_r.made_at, _r.id)
    return [_request(row) for row in session.execute(query)]


def undecided(session: Session) -> list[Request]:
    """The board's queue, the nearest deadline first."""
    # In the words of the index: SQLite would otherwise go through every request that was ever made.
    query = _query.where(sa.text("requests.state IN ('open', 'credited')")).order_by(_r.lapse_at, _r.id)
    return [_request(row) for row in session.execute(query)]


def made_between(session: Session, begin: datetime | None, end: datetime | None) -> list[Request]:
    """Requests by when they were made, oldest first."""
    query = _query.order_by(_r.made_at, _r.id)
    if begin is not None:
        query = query.where(_r.made_at >= begin)
    if end is not None:
        query = query.where(_r.made_at < end)
    return [_request(row) for row in session.execute(query)]


def to_net(session: Session, before: datetime) -> list[Request]:
    """Break-glass credits that were not ratified by an instant, and are not taken off a grant yet; held from now on."""
    query = _query.where(_r.state == NOT_RATIFIED, _r.netted.is_(None), _r.decided_at <= before)
    query = query.with_for_update(of=requests)
    return [_request(row) for row in session.execute(query.order_by(_r.decided_at, _r.id))]


def insert(session: Session, row: Mapping[str, Any], panel: Electorate, beneficiaries: Iterable[str]) -> None:
    """Keep a new request with its electorate; one whose key is there already is an IntegrityError."""
    session.execute(sa.insert(requests).values(**row))
    seats = [
        {
            "request_id": row["id"],
            "person_id": seat.person_id,
            "kind": seat.kind,
            "is_chair": seat.is_chair,
            "is_finance": seat.is_finance,
            "recused": seat.recused,
        }
        for seat in panel.seats
    ]
    if seats:
        session.execute(sa.insert(request_seats), seats)
    named = [{"request_id": row["id"], "person_id": person_id} for person_id in sorted(set(beneficiaries))]
    if named:
        session.execute(sa.insert(request_beneficiaries), named)


def change(session: Session, request: Request, **values: Any) -> Request | None:  # noqa: ANN401 - the columns' values
    """Move a request from the revision that was read to the next; None when someone else moved it meanwhile."""
    values["revision"] = request.revision + 1
    as_read = sa.update(requests).where(_r.id == request.id, _r.revision == request.revision, _r.state == request.state)
    if session.execute(as_read.values(**values)).rowcount != 1:
        return None
    amounts = {name: MicroTokens(values[name]) for name in _AMOUNTS if values.get(name) is not None}
    return replace(request, **values | amounts)


# --- What belongs to requests: of many in one statement each -------------------------------------------------------


def of_people(session: Session, person_ids: Iterable[str], *, limit: int) -> dict[str, list[Request]]:
    """The latest requests of each of some people, at most `limit` of each, the latest first."""
    found: dict[str, list[Request]] = {person_id: [] for person_id in person_ids}
    nth = sa.func.row_number().over(partition_by=_r.person_id, order_by=(_r.made_at.desc(), _r.id)).label("nth")
    for some in bulk.chunks(sorted(found)):
        ranked = sa.select(_r.id, nth).where(_r.person_id.in_(some)).subquery()
        query = _query.join(ranked, ranked.c.id == _r.id).where(ranked.c.nth <= limit)
        for row in session.execute(query.order_by(ranked.c.nth)):
            found[row.person_id].append(_request(row))
    return found


def remaining_of(session: Session, some: Iterable[Request]) -> dict[str, int]:
    """What is left of each request's lot, in micro-tokens; 0 where nothing was credited."""
    found = {request.id: 0 for request in some}
    query = sa.select(_r.id, lots.c.remaining).join(lots, lots.c.entry_id == _r.entry_id)
    for ids in bulk.chunks(sorted(found)):
        found |= {request_id: left for request_id, left in session.execute(query.where(_r.id.in_(ids)))}
    return found


def remaining(session: Session, request: Request) -> int:
    """What is left of a request's lot, in micro-tokens."""
    return remaining_of(session, [request])[request.id]


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


# --- Time ----------------------------------------------------------------------------------------------------------


def due(session: Session, now: datetime, *, limit: int) -> list[tuple[str, str, datetime]]:
    """(request, step, instant) of what the calendar has to do about requests, the longest due first."""
    query = sa.select(_r.id, _r.next_step, _r.next_at).where(sa.text("requests.next_at IS NOT NULL"), _r.next_at <= now)
    rows = session.execute(query.order_by(_r.next_at, _r.id).limit(limit))
    return [(request_id, step, at) for request_id, step, at in rows]


# --- Questions -----------------------------------------------------------------------------------------------------


class Question(NamedTuple):
    """What a member of the board wanted to know, and the answer."""

    id: int
    request_id: str
    asked_by: str
    question: str
    asked_at: datetime
    answer: str | None
    answered_at: datetime | None


_q = request_questions.c
_question = sa.select(_q.id, _q.request_id, _q.asked_by, _q.question, _q.asked_at, _q.answer, _q.answered_at)


def ask(session: Session, *, key: str, request_id: str, asked_by: str, question: str, now: datetime) -> int:
    """Keep a question; its number."""
    [number] = bulk.allocate_ids(session, request_questions, 1)
    session.execute(
        sa.insert(request_questions).values(
            id=number, idempotency_key=key, request_id=request_id, asked_by=asked_by, question=question, asked_at=now
        )
    )
    return number


def question_by_key(session: Session, key: str) -> Question | None:
    row = session.execute(_question.where(_q.idempotency_key == key)).one_or_none()
    return Question._make(row) if row else None


def question(session: Session, number: int) -> Question | None:
    row = session.execute(_question.where(_q.id == number)).one_or_none()
    return Question._make(row) if row else None


def questions_of(session: Session, request_ids: Iterable[str]) -> dict[str, list[Question]]:
    """What was asked about each request, in the order in which it was asked."""
    found: dict[str, list[Question]] = {request_id: [] for request_id in request_ids}
    for ids in bulk.chunks(sorted(found)):
        for row in session.execute(_question.where(_q.request_id.in_(ids)).order_by(_q.id)):
            found[row.request_id].append(Question._make(row))
    return found


def answer(session: Session, number: int, text: str, *, now: datetime) -> bool:
    """Keep the answer to a question; False when it has one."""
    answered = sa.update(request_questions).where(_q.id == number, _q.answer.is_(None))
    return session.execute(answered.values(answer=text, answered_at=now)).rowcount == 1


# --- Drafts --------------------------------------------------------------------------------------------------------


class Draft(NamedTuple):
    """What someone typed into the form and has not submitted."""

    fields: dict[str, Any]
    saved_at: datetime


def draft(session: Session, person_id: str) -> Draft | None:
    """What someone typed last and has not submitted."""
    d = request_drafts.c
    row = session.execute(sa.select(d.fields, d.saved_at).where(d.person_id == person_id)).one_or_none()
    return Draft._make(row) if row else None


def save_draft(session: Session, person_id: str, fields: Mapping[str, Any], *, now: datetime) -> None:
    """Keep what someone typed last, also when two pieces of it arrive at once, or in the wrong order."""
    insert = postgresql.insert if bulk.is_postgresql(session) else sqlite.insert
    draft = insert(request_drafts).values(person_id=person_id, fields=dict(fields), saved_at=now)
    newer = {"fields": draft.excluded.fields, "saved_at": draft.excluded.saved_at}
    session.execute(
        draft.on_conflict_do_update(
            index_elements=["person_id"], set_=newer, where=request_drafts.c.saved_at <= draft.excluded.saved_at
        )
    )


def forget_draft(session: Session, person_id: str) -> None:
    session.execute(sa.delete(request_drafts).where(request_drafts.c.person_id == person_id))


# --- The form's menus ----------------------------------------------------------------------------------------------


class Project(NamedTuple):
    """A project that a request can name; its sponsor does not vote on it."""

    key: str
    name: str
    sponsor_id: str | None


def project_names(session: Session) -> list[Project]:
    """Every project, by name."""
    query = sa.select(projects.c.key, projects.c.name, projects.c.sponsor_id).order_by(projects.c.name, projects.c.key)
    return [Project._make(row) for row in session.execute(query)]


def sponsors_of(session: Session, project_keys: Iterable[str]) -> dict[str, str | None]:
    """Who sponsors each of some projects; an unknown one has none."""
    found: dict[str, str | None] = dict.fromkeys(project_keys)
    for some in bulk.chunks(sorted(found)):
        query = sa.select(projects.c.key, projects.c.sponsor_id).where(projects.c.key.in_(some))
        found |= {key: sponsor for key, sponsor in session.execute(query)}
    return found


def sponsor_of(session: Session, project_key: str) -> str | None:
    return sponsors_of(session, [project_key])[project_key]
