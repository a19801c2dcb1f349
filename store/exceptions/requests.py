"""Requests for exceptions: what was asked, who may vote, how they voted, what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from policy.units import MicroTokens
from store import bulk
from store.tables.exceptions import (
    request_beneficiaries,
    request_seats,
    requests,
)
from store.tables.ledger import lots
from store.tables.people import projects
from store.tables.usage import services

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from policy.exceptions import Electorate
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
    spent: MicroTokens | None
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
    def to_net(self) -> MicroTokens:
        """What the next grant pays of a break-glass that was not ratified.

        Before lots ended with the decision, what was granted stayed in the wallet, and all of it was to be paid.
        """
        owed = self.granted if self.spent is None else self.spent
        return owed or MicroTokens(0)

    @property
    def counts(self) -> MicroTokens:
        """What it weighs when later requests are classified: what was credited, or what is still asked for."""
        if self.granted is not None:
            return self.granted
        return self.amount if self.is_undecided else MicroTokens(0)


DECIDED_WITHIN = timedelta(days=92)
_AMOUNTS = ("amount", "granted", "spent", "netted")
_COLUMNS = [name for name in Request.__dataclass_fields__ if name not in {"project", "service"}]
_query = (
    sa.select(*(_r[name] for name in _COLUMNS), projects.c.name.label("project"), services.c.name.label("service"))
    .select_from(requests)
    .outerjoin(projects, projects.c.key == _r.project_key)
    .outerjoin(services, services.c.key == _r.service_key)
)


_AMOUNTS_AT = [list(Request.__dataclass_fields__).index(name) for name in _AMOUNTS]


def of_row(row: Sequence[Any]) -> Request:
    """A request from a row of the query above."""
    values = list(row)
    for number in _AMOUNTS_AT:
        if values[number] is not None:
            values[number] = MicroTokens(values[number])
    return Request(*values)


BY_ID = _query.where(_r.id == sa.bindparam("request_id"))
_one = bulk.Typed(BY_ID)
_one_locked = bulk.Typed(BY_ID.with_for_update(of=requests))


def lock(session: Session, request_id: str) -> Request | None:
    """A request, held until the transaction ends, so that votes on it follow one another; None when there is none.

    What belongs to it is read after that: a statement that waited for a lock sees the rest as it was before.
    """
    rows = _one_locked.execute(session, {"request_id": request_id})
    return of_row(rows[0]) if rows else None


def get(session: Session, request_id: str) -> Request | None:
    rows = _one.execute(session, {"request_id": request_id})
    return of_row(rows[0]) if rows else None


def by_key(session: Session, idempotency_key: str) -> Request | None:
    row = session.execute(_query.where(_r.idempotency_key == idempotency_key)).one_or_none()
    return of_row(row) if row else None


def of_person(session: Session, person_id: str, *, limit: int | None = None) -> list[Request]:
    """A person's requests, the latest first."""
    query = _query.where(_r.person_id == person_id).order_by(_r.made_at.desc(), _r.id).limit(limit)
    return [of_row(row) for row in session.execute(query)]


def since(session: Session, person_id: str, instant: datetime) -> list[Request]:
    """What someone asked for after an instant, oldest first."""
    query = _query.where(_r.person_id == person_id, _r.made_at > instant).order_by(_r.made_at, _r.id)
    return [of_row(row) for row in session.execute(query)]


def of_others(session: Session, person_id: str, project_key: str, instant: datetime) -> list[Request]:
    """What others asked for after an instant, for the same project."""
    query = _query.where(_r.project_key == project_key, _r.person_id != person_id, _r.made_at > instant)
    return [of_row(row) for row in session.execute(query.order_by(_r.made_at, _r.id))]


def of_incident(session: Session, incident: str) -> list[Request]:
    """What was taken for an incident, whoever took it and however its number was written."""
    query = _query.where(sa.func.lower(_r.incident) == incident.lower()).order_by(_r.made_at, _r.id)
    return [of_row(row) for row in session.execute(query)]


def undecided(session: Session) -> list[Request]:
    """The board's queue, the nearest deadline first."""
    # In the words of the index: SQLite would otherwise go through every request that was ever made.
    query = _query.where(sa.text("requests.state IN ('open', 'credited')")).order_by(_r.lapse_at, _r.id)
    return [of_row(row) for row in session.execute(query)]


def made_between(session: Session, begin: datetime | None, end: datetime | None) -> list[Request]:
    """Requests by when they were made, oldest first."""
    query = _query.order_by(_r.made_at, _r.id)
    if begin is not None:
        query = query.where(_r.made_at >= begin)
    if end is not None:
        query = query.where(_r.made_at < end)
    return [of_row(row) for row in session.execute(query)]


def to_net(session: Session, before: datetime) -> list[Request]:
    """Break-glasses that were not ratified by an instant and are not taken off a grant yet; held from now on."""
    query = _query.where(_r.state == NOT_RATIFIED, _r.netted.is_(None), _r.decided_at <= before)
    query = query.with_for_update(of=requests)
    return [of_row(row) for row in session.execute(query.order_by(_r.decided_at, _r.id))]


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
    if not bulk.change(
        session, requests, {name: getattr(request, name) for name in ("id", "revision", "state")}, values
    ):
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
            found[row.person_id].append(of_row(row))
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


def has_break_glass(session: Session, person_id: str, now: datetime) -> bool:
    """Whether something is left of what someone took in an incident."""
    running = (lots.c.remaining > 0, lots.c.starts_at <= now, lots.c.expires_at > now)
    query = sa.select(_r.id).join(lots, lots.c.entry_id == _r.entry_id).where(_r.person_id == person_id, *running)
    return session.execute(query.where(_r.incident.is_not(None)).limit(1)).one_or_none() is not None


def credited_since(session: Session, person_id: str, since: datetime) -> list[tuple[datetime, int]]:
    """(when, micro-tokens) of each exception that was credited to someone since an instant.

    By the index of who asked when: nothing waits for the board as long as `DECIDED_WITHIN`.
    """
    query = sa.select(lots.c.starts_at, lots.c.amount).join_from(requests, lots, lots.c.entry_id == _r.entry_id)
    query = query.where(_r.person_id == person_id, _r.made_at >= since - DECIDED_WITHIN, lots.c.starts_at >= since)
    return [(at, int(amount)) for at, amount in session.execute(query)]


def due(session: Session, now: datetime, *, limit: int) -> list[tuple[str, str, datetime]]:
    """(request, step, instant) of what the calendar has to do about requests, the longest due first."""
    query = sa.select(_r.id, _r.next_step, _r.next_at).where(sa.text("requests.next_at IS NOT NULL"), _r.next_at <= now)
    rows = session.execute(query.order_by(_r.next_at, _r.id).limit(limit))
    return [(request_id, step, at) for request_id, step, at in rows]
