"""Which work is done, claimed in the transaction of its effects: the calendar's, of which some failed, and Slack's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from store import bulk
from store.tables.outbox import run_failures, runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from store.engine import Session


SLACK = "slack"
"""The job of what people do in Slack; its periods are Slack's own ids of that."""


class Failure(NamedTuple):
    """A run that did not succeed yet."""

    job: str
    period: str
    attempts: int
    last_at: datetime
    reason: str


def claim(session: Session, job: str, period: str, *, now: datetime) -> bool:
    """Whether this transaction may do the run: False when it is done. The second to come waits for the first."""
    if not _insert(session, job, period, now):
        return False
    forget_failure(session, job, period)
    return True


def _insert(session: Session, job: str, period: str, now: datetime) -> bool:
    values = {"job": job, "period": period, "claimed_at": now}
    return (_CLAIM_POSTGRESQL if bulk.is_postgresql(session) else _CLAIM_SQLITE).change(session, values) == 1


def _claiming(insert: Callable[[sa.Table], Any]) -> bulk.Typed:
    told = insert(runs).values({column: sa.bindparam(column.name, type_=column.type) for column in runs.c})
    return bulk.Typed(told.on_conflict_do_nothing())


_CLAIM_POSTGRESQL, _CLAIM_SQLITE = _claiming(postgresql.insert), _claiming(sqlite.insert)


def take(session: Session, slack_id: str, *, now: datetime) -> bool:
    """Whether this transaction may do what Slack calls so: False when it is done."""
    return _insert(session, SLACK, slack_id, now)


def forget_taken(session: Session, *, before: datetime) -> None:
    """What Slack sent so long ago is not believed any more, should it come again."""
    session.execute(sa.delete(runs).where(runs.c.job == SLACK, runs.c.claimed_at < before))


def is_done(session: Session, job: str, period: str) -> bool:
    query = sa.select(runs.c.period).where(runs.c.job == job, runs.c.period == period)
    return session.execute(query).scalar_one_or_none() is not None


def last_periods(session: Session) -> dict[str, str]:
    """The last period of each job that ran; periods are written so that they sort."""
    query = sa.select(runs.c.job, sa.func.max(runs.c.period)).where(runs.c.job != SLACK).group_by(runs.c.job)
    return {job: period for job, period in session.execute(query)}


def note_failure(session: Session, job: str, period: str, *, reason: str, now: datetime) -> None:
    """Count an attempt that failed."""
    key = (run_failures.c.job == job, run_failures.c.period == period)
    again = sa.update(run_failures).where(*key)
    changed = session.execute(again.values(attempts=run_failures.c.attempts + 1, last_at=now, reason=reason))
    if changed.rowcount == 0:
        row = (job, period, 1, bulk.instant_codec(session)(now), reason)
        bulk.insert_missing(session, run_failures, ("job", "period", "attempts", "last_at", "reason"), [row])


def forget_failure(session: Session, job: str, period: str) -> None:
    """What failed is done now."""
    failed = run_failures.c
    session.execute(sa.delete(run_failures).where(failed.job == job, failed.period == period))


def forget_steps(session: Session, request_id: str) -> None:
    """A request was decided: steps of it that failed are not owed any more."""
    _FORGET_STEPS.change(session, {"request_id": request_id})


def has_failures(request_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether steps of a request failed, as a part of a statement."""
    return sa.exists().where(run_failures.c.period == request_id)


_FORGET_STEPS = bulk.Prepared(sa.delete(run_failures).where(run_failures.c.period == sa.bindparam("request_id")))


def failures(session: Session) -> list[Failure]:
    query = sa.select(run_failures).order_by(run_failures.c.period, run_failures.c.job)
    return [Failure(*row) for row in session.execute(query)]
