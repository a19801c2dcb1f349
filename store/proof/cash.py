"""Whether what became of each question about a cash cap follows from its votes, and those from the audit log."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from policy import cash
from policy.cash import LAPSED, RAISE, RAISED, STATE_OF
from store.audit import POLICY
from store.holds import cash as store
from store.holds.cash import ASKED, CALLED_IN, LAPSED_BY, VOTED
from store.reviews.votes import plain_seats
from store.tables.audit import audit_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from store.engine import Session
    from views.cash import Question

Told = dict[str, list[Any]]
"""Rows of the audit log about one question, by action, oldest first."""


def cash_as_voted(session: Session) -> Iterator[str]:
    """What the board decided about the month's cash follows from votes that the audit log tells of."""
    told = _told(session)
    for question in store.everything(session):
        log = told.pop(question.id, defaultdict(list))
        yield from _asked(session, question, log)
        yield from _votes(session, question, log)
        yield from _ending(session, question, log)
    for subject in told:
        yield f"question {subject} is in the audit log only"


def _told(session: Session) -> dict[str, Told]:
    a = audit_log.c
    query = sa.select(a.subject, a.action, a.actor, a.at, a.after).where(
        a.action.in_((ASKED, VOTED, CALLED_IN, LAPSED_BY))
    )
    told: dict[str, Told] = {}
    for row in session.execute(query.order_by(a.seq)):
        told.setdefault(row.subject, defaultdict(list))[row.action].append(row)
    return told


def _asked(session: Session, question: Question, log: Told) -> Iterator[str]:
    """It was asked once, of those whom the log names, about the limit that it names."""
    panel = store.panel(session, question)
    said = [(row.at, row.after.get("limit"), row.after.get("needed"), row.after.get("seats")) for row in log[ASKED]]
    limit = f"{question.limit.decimal.normalize():f}"
    if said != [(question.asked_at, limit, question.needed, plain_seats(panel))]:
        yield f"question {question.id}: it was not asked so, says the audit log"


def _votes(session: Session, question: Question, log: Told) -> Iterator[str]:
    """The votes that are kept are the last that the log tells of, one a seat."""
    last = {
        row.after["seat"]: (row.actor, row.after.get("choice"), row.after.get("limit"), row.at) for row in log[VOTED]
    }
    for vote in store.votes(session, question.id):
        limit = None if vote.limit is None else f"{vote.limit.decimal.normalize():f}"
        if last.pop(vote.seat, None) != (vote.cast_by, vote.choice, limit, vote.cast_at):
            yield f"question {question.id}: the vote of {vote.seat} is not the one in the audit log"
    for seat in last:
        yield f"question {question.id}: the vote of {seat} is in the audit log only"


def _ending(session: Session, question: Question, log: Told) -> Iterator[str]:
    """Votes decided it, counted again, and the last of them or a stage did so; or silence, as the log tells."""
    if question.state == LAPSED:
        ended = [(row.actor, row.at) for row in log[LAPSED_BY]]
        if ended != [(POLICY, question.decided_at)] or question.decided_by != POLICY:
            yield f"question {question.id}: lapsed, the audit log says otherwise"
        return
    ballots = [one.ballot for one in store.votes(session, question.id)]
    panel = store.panel(session, question)
    choice = cash.decided(panel, question.stage, ballots)
    expected = cash.OPEN if choice is None else STATE_OF[choice]
    if log[LAPSED_BY] or question.state != expected:
        yield f"question {question.id}: {question.state}, its votes say {expected}"
    raised_to = cash.agreed(panel, question.stage, ballots) if choice == RAISE else None
    if question.state == RAISED and question.raised_to != raised_to:
        yield f"question {question.id}: raised to {question.raised_to}, its votes say {raised_to}"
    if choice is not None and (question.decided_by, question.decided_at) not in _deciding(log):
        yield f"question {question.id}: decided by {question.decided_by}, the audit log says otherwise"


def _deciding(log: Told) -> list[tuple[str, Any]]:
    last: Sequence[Any] = [*log[VOTED][-1:], *log[CALLED_IN][-1:]]
    return [(row.actor, row.at) for row in last]


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (cash_as_voted,)
