"""Messages as administrators look at them: where they are, never what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store.outbox.messages import LEASED, PARKED, SENT, WAITING
from store.tables.outbox import outbox
from store.tables.people import people

if TYPE_CHECKING:
    from datetime import datetime

    from store.engine import Session

STATES = (WAITING, LEASED, SENT, PARKED)


class Listed(NamedTuple):
    """A message; `to` is an e-mail, or the id of a channel."""

    key: str
    template: str
    to: str
    state: str
    problem: str | None
    attempts: int
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages are looked for; `since` bounds when they were owed."""

    state: str | None = None
    template: str | None = None
    person_id: str | None = None
    channel: str | None = None
    since: datetime | None = None


_o = outbox.c
_query = sa.select(
    _o.key,
    _o.template,
    sa.func.coalesce(people.c.email, _o.channel),
    _o.state,
    _o.problem,
    _o.attempts,
    _o.created_at,
    _o.due_at,
    _o.sent_at,
).outerjoin_from(outbox, people, people.c.id == _o.person_id)


def listed(session: Session, wanted: Wanted, *, limit: int) -> list[Listed]:
    """Messages, the latest first."""
    query = _query.order_by(_o.id.desc()).limit(limit)
    equal = (
        (_o.state, wanted.state),
        (_o.template, wanted.template),
        (_o.person_id, wanted.person_id),
        (_o.channel, wanted.channel),
    )
    for column, value in equal:
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(_o.created_at >= wanted.since)
    return [Listed(*row) for row in session.execute(query)]


def named(session: Session, key: str) -> Listed | None:
    row = session.execute(_query.where(_o.key == key)).one_or_none()
    return Listed(*row) if row else None
