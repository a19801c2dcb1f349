"""What the board is asked about a cash cap, how it votes, and what it decided; and whom caps stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from policy.cash import HALTED, OPEN, RAISED, RUNNING, Ballot, Ruling
from policy.exceptions import STAGE_OF, Electorate, Seat
from policy.units import NanoUSD
from store import bulk
from store.tables.holds import cap_stops, cash_questions, cash_seats, cash_votes
from views.cash import Question

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime

    from store.engine import Session

ASKED, VOTED, CALLED_IN, LAPSED_BY = "cash.ask", "cash.vote", "cash.escalate", "cash.lapse"
"""The actions by which the audit log tells what the board was asked, did, and let pass."""

_q, _s, _v, _c = cash_questions.c, cash_seats.c, cash_votes.c, cap_stops.c


class StoredVote(NamedTuple):
    """A vote as it was cast."""

    seat: str
    cast_by: str
    choice: str
    limit: NanoUSD | None
    cast_at: datetime

    @property
    def ballot(self) -> Ballot:
        return Ballot(self.seat, self.choice, self.limit)


_AMOUNTS = {"base": "base_nano_usd", "limit": "limit_nano_usd", "raised_to": "raised_to"}
_query = sa.select(*(_q[_AMOUNTS.get(name, name)].label(name) for name in Question.__dataclass_fields__))


def _question(row: Any) -> Question:  # noqa: ANN401 - a row of the query above
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    values |= {name: NanoUSD(values[name]) for name in _AMOUNTS if values[name] is not None}
    return Question(**values)


def _one(session: Session, query: sa.Select[Any]) -> Question | None:
    row = session.execute(query).one_or_none()
    return _question(row) if row else None


def get(session: Session, question_id: str) -> Question | None:
    return _one(session, _query.where(_q.id == question_id))


def lock(session: Session, question_id: str) -> Question | None:
    """A question, held until the transaction ends, so that votes on it follow one another."""
    return _one(session, _query.where(_q.id == question_id).with_for_update(of=cash_questions))


def everything(session: Session) -> list[Question]:
    """Every question, oldest first."""
    return [_question(row) for row in session.execute(_query.order_by(_q.asked_at, _q.id))]


def all_open(session: Session) -> list[Question]:
    """What the board has to decide, the nearest deadline first."""
    rows = session.execute(_query.where(_q.state == OPEN).order_by(_q.lapse_at, _q.id))
    return [_question(row) for row in rows]


_rulings = (
    sa.select(_q.cap, _q.state, _q.base_nano_usd, _q.raised_to)
    .where(_q.first_day == sa.bindparam("month"), _q.state.in_((RAISED, HALTED, RUNNING)))
    .order_by(_q.decided_at, _q.id)
)


def rulings(session: Session, first_day: date) -> dict[tuple[str, int], Ruling]:
    """What the board decided for a month: the last for each cap and amount of the handbook."""
    return {
        (cap, base): Ruling(state, NanoUSD(base), None if raised is None else NanoUSD(raised))
        for cap, state, base, raised in session.execute(_rulings, {"month": first_day})
    }


def insert(session: Session, question: Question, panel: Electorate) -> None:
    """Keep a new question with those who decide it."""
    values = {_AMOUNTS.get(name, name): getattr(question, name) for name in Question.__dataclass_fields__}
    values |= {column: int(values[column]) for column in ("base_nano_usd", "limit_nano_usd")}
    session.execute(sa.insert(cash_questions).values(**values))
    seats = [
        {
            "question_id": question.id,
            "person_id": seat.person_id,
            "kind": seat.kind,
            "is_chair": seat.is_chair,
            "is_finance": seat.is_finance,
        }
        for seat in panel.seats
    ]
    session.execute(sa.insert(cash_seats), seats)


def change(session: Session, question: Question, **values: Any) -> Question | None:  # noqa: ANN401 - columns' values
    """Move a question from the revision that was read to the next; None when someone else moved it meanwhile."""
    values["revision"] = question.revision + 1
    as_read = {"id": question.id, "revision": question.revision}
    plain = {name: int(value) if isinstance(value, NanoUSD) else value for name, value in values.items()}
    if not bulk.change(session, cash_questions, as_read, plain):
        return None
    return replace(question, **values)


def panel(session: Session, question: Question) -> Electorate:
    """Who decides it, as it was when they were asked."""
    query = sa.select(_s.person_id, _s.kind, _s.is_chair, _s.is_finance).where(_s.question_id == question.id)
    seats = sorted((Seat(*row) for row in session.execute(query)), key=lambda one: (STAGE_OF[one.kind], one.person_id))
    return Electorate(tuple(seats), question.needed, needs_finance=False, stage=question.first_stage)


def votes(session: Session, question_id: str) -> list[StoredVote]:
    """The votes, in the order in which they were cast."""
    query = sa.select(_v.seat, _v.cast_by, _v.choice, _v.limit_nano_usd, _v.cast_at)
    rows = session.execute(query.where(_v.question_id == question_id).order_by(_v.cast_at, _v.seat))
    return [
        StoredVote(seat, cast_by, choice, None if limit is None else NanoUSD(limit), at)
        for seat, cast_by, choice, limit, at in rows
    ]


def cast(session: Session, question_id: str, vote: StoredVote) -> None:
    """Keep the vote of a seat, in place of the one it had."""
    session.execute(sa.delete(cash_votes).where(_v.question_id == question_id, _v.seat == vote.seat))
    values = {
        "question_id": question_id,
        "seat": vote.seat,
        "cast_by": vote.cast_by,
        "choice": vote.choice,
        "limit_nano_usd": None if vote.limit is None else int(vote.limit),
        "cast_at": vote.cast_at,
    }
    session.execute(sa.insert(cash_votes).values(**values))


def due(session: Session, now: datetime) -> list[tuple[str, str, datetime]]:
    """(question, step, instant) of what the calendar has to do about questions, the longest due first."""
    query = sa.select(_q.id, _q.next_step, _q.next_at).where(
        sa.text("cash_questions.next_at IS NOT NULL"), _q.next_at <= now
    )
    return [(id_, step, at) for id_, step, at in session.execute(query.order_by(_q.next_at, _q.id))]


# --- Whom caps stopped ---------------------------------------------------------------------------------------------


class Stop(NamedTuple):
    """That a cap stopped someone who had not been told of it."""

    key: str
    person_id: str
    cap: str
    limit: int
    stopped_at: datetime


def note_stop(session: Session, stop: Stop) -> None:
    values = {**stop._asdict(), "limit_nano_usd": stop.limit}
    del values["limit"]
    session.execute(sa.insert(cap_stops).values(**values))


def has_stopped(session: Session, cap: str, limit: NanoUSD, since: datetime) -> bool:
    """Whether a cap with this limit has stopped anybody since an instant."""
    query = sa.select(_c.key).where(_c.cap == cap, _c.stopped_at >= since, _c.limit_nano_usd == int(limit)).limit(1)
    return session.execute(query).one_or_none() is not None


def count_stops(session: Session, person_ids: Collection[str], begin: datetime, end: datetime) -> int:
    """How often caps stopped some people from one instant until before another."""
    total = 0
    for some in bulk.chunks(sorted(person_ids)):
        query = sa.select(sa.func.count()).where(_c.person_id.in_(some), _c.stopped_at >= begin, _c.stopped_at < end)
        total += session.execute(query).scalar_one()
    return total
