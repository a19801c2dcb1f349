"""Requests for exceptions: what was asked, who may vote, how they voted, what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from policy.quorum import STAGE_OF, Electorate, Seat, Vote
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
from store.tables.people import people, projects
from store.tables.usage import services

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from store.engine import Session

OPEN, APPROVED, REJECTED, LAPSED, WITHDRAWN = "open", "approved", "rejected", "lapsed", "withdrawn"
CREDITED, RATIFIED, NOT_RATIFIED = "credited", "ratified", "not_ratified"
"""Of a break-glass: it is credited before anybody decides."""
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
        """A break-glass: it was credited before anybody decided."""
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


def lock(session: Session, request_id: str) -> bool:
    """Hold a request until the transaction ends, so that votes on it follow one another; False when there is none."""
    query = sa.select(_r.id).where(_r.id == request_id).with_for_update()
    return session.execute(query).one_or_none() is not None


def get(session: Session, request_id: str) -> Request | None:
    row = session.execute(_query.where(_r.id == request_id)).one_or_none()
    return _request(row) if row else None


def by_key(session: Session, idempotency_key: str) -> Request | None:
    row = session.execute(_query.where(_r.idempotency_key == idempotency_key)).one_or_none()
    return _request(row) if row else None


def of_person(session: Session, person_id: str, *, limit: int | None = None) -> list[Request]:
    """Somebody's requests, the latest first."""
    query = _query.where(_r.person_id == person_id).order_by(_r.made_at.desc(), _r.id).limit(limit)
    return [_request(row) for row in session.execute(query)]


def since(session: Session, person_id: str, instant: datetime) -> list[Request]:
    """What somebody asked for after an instant, oldest first."""
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
            "request_id": row["id"], "person_id": seat.person_id, "kind": seat.kind, "is_chair": seat.is_chair,
            "is_finance": seat.is_finance, "recused": seat.recused,
        }
        for seat in panel.seats
    ]  # fmt: skip
    if seats:
        session.execute(sa.insert(request_seats), seats)
    named = [{"request_id": row["id"], "person_id": person_id} for person_id in sorted(set(beneficiaries))]
    if named:
        session.execute(sa.insert(request_beneficiaries), named)


def change(session: Session, request: Request, **values: object) -> bool:
    """Move a request from the revision that was read to the next; False when somebody else moved it meanwhile."""
    moved = sa.update(requests).where(_r.id == request.id, _r.revision == request.revision, _r.state == request.state)
    return session.execute(moved.values(revision=request.revision + 1, **values)).rowcount == 1


def remaining(session: Session, request: Request) -> int:
    """What is left of a request's lot, in micro-tokens."""
    query = sa.select(lots.c.remaining).where(lots.c.entry_id == request.entry_id)
    found: int | None = session.execute(query).scalar_one_or_none()
    return found or 0


def beneficiaries(session: Session, request_id: str) -> frozenset[str]:
    b = request_beneficiaries.c
    return frozenset(session.execute(sa.select(b.person_id).where(b.request_id == request_id)).scalars())


def panel(session: Session, request: Request) -> Electorate:
    """The electorate of a request."""
    s = request_seats.c
    query = sa.select(s.person_id, s.kind, s.is_chair, s.is_finance, s.recused).where(s.request_id == request.id)
    seats = sorted(
        (Seat(*row) for row in session.execute(query)), key=lambda seat: (STAGE_OF[seat.kind], seat.person_id)
    )
    return Electorate(tuple(seats), request.needed, request.needs_finance, request.first_stage)


class Cast(NamedTuple):
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


def votes(session: Session, request_id: str) -> list[Cast]:
    """The votes on a request, in the order in which they were cast."""
    v = request_votes.c
    query = sa.select(v.seat, v.cast_by, v.approves, v.amount, v.last_day, v.reason, v.cast_at)
    query = query.where(v.request_id == request_id).order_by(v.cast_at, v.seat)
    return [
        Cast(seat, by, approves, None if amount is None else MicroTokens(amount), *rest)
        for seat, by, approves, amount, *rest in session.execute(query)
    ]


def cast(session: Session, request_id: str, vote: Cast) -> None:
    """Keep the vote of a seat, in place of the one it had."""
    v = request_votes.c
    session.execute(sa.delete(request_votes).where(v.request_id == request_id, v.seat == vote.seat))
    values = vote._asdict() | {"amount": None if vote.amount is None else int(vote.amount)}
    session.execute(sa.insert(request_votes).values(request_id=request_id, **values))


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


def questions(session: Session, request_id: str) -> list[Question]:
    query = _question.where(_q.request_id == request_id).order_by(_q.id)
    return [Question._make(row) for row in session.execute(query)]


def answer(session: Session, number: int, text: str, *, now: datetime) -> bool:
    """Keep the answer to a question; False when it has one."""
    answered = sa.update(request_questions).where(_q.id == number, _q.answer.is_(None))
    return session.execute(answered.values(answer=text, answered_at=now)).rowcount == 1


# --- Drafts --------------------------------------------------------------------------------------------------------


class Draft(NamedTuple):
    """What somebody typed into the form and has not submitted."""

    fields: dict[str, Any]
    saved_at: datetime


def draft(session: Session, person_id: str) -> Draft | None:
    """What somebody typed last and has not submitted."""
    d = request_drafts.c
    row = session.execute(sa.select(d.fields, d.saved_at).where(d.person_id == person_id)).one_or_none()
    return Draft._make(row) if row else None


def save_draft(session: Session, person_id: str, fields: Mapping[str, Any], *, now: datetime) -> None:
    """Keep what somebody typed last, also when two pieces of it arrive at once, or in the wrong order."""
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


def sponsor_of(session: Session, project_key: str) -> str | None:
    query = sa.select(projects.c.sponsor_id).where(projects.c.key == project_key)
    sponsor: str | None = session.execute(query).scalar_one_or_none()
    return sponsor


class PersonName(NamedTuple):
    """What somebody is called, and their Slack user if they have one."""

    name: str
    slack: str | None


def names(session: Session, person_ids: Iterable[str]) -> dict[str, PersonName]:
    """How some people are named, by id."""
    found: dict[str, PersonName] = {}
    for some in bulk.chunks(sorted(set(person_ids))):
        query = sa.select(people.c.id, people.c.name, people.c.slack_user_id).where(people.c.id.in_(some))
        found |= {id_: PersonName(name, slack) for id_, name, slack in session.execute(query)}
    return found
