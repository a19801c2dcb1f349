"""What members of the board asked about requests, and the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store import bulk
from store.tables.exceptions import request_questions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from store.engine import Session


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


def by_key(session: Session, key: str) -> Question | None:
    row = session.execute(_question.where(_q.idempotency_key == key)).one_or_none()
    return Question._make(row) if row else None


def get(session: Session, number: int) -> Question | None:
    row = session.execute(_question.where(_q.id == number)).one_or_none()
    return Question._make(row) if row else None


def of_requests(session: Session, request_ids: Iterable[str]) -> dict[str, list[Question]]:
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
