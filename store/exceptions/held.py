"""A request that is held until the transaction ends, with all by which it is decided, in one statement or two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from store import bulk, runs
from store.exceptions import requests, votes
from store.outbox import messages
from store.tables.people import people

if TYPE_CHECKING:
    from datetime import date

    from store.engine import Session
    from store.exceptions.requests import Request
    from store.exceptions.votes import About
    from store.outbox.messages import Copy


class Held(NamedTuple):
    """A request, what is kept about it, its messages that stand for themselves, and whether steps of it failed."""

    request: Request
    about: About
    copies: list[Copy]
    has_failures: bool


_request_id: sa.BindParameter[Any] = sa.bindparam("request_id", type_=sa.Text())


def _of_it(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    # Of one and not of some: so PostgreSQL finds that one plan does for all of them.
    return column == _request_id


_kept = votes.kept(_of_it, people.c.id == sa.bindparam("voter"))
_parts: list[sa.ColumnElement[Any]] = [
    *(bulk.as_json(one) for one in (*_kept, messages.standing(_request_id))),
    runs.has_failures(_request_id),
]
_rest = bulk.Typed(sa.select(*_parts))
_whole = bulk.Typed(requests.BY_ID.add_columns(*_parts))


def hold(session: Session, request_id: str, voter: str, today: date) -> Held | None:
    """Hold a request; None when there is none. A `voter` who is nobody's id is nobody.

    On PostgreSQL the lock comes first: a statement that waits for one sees the votes as they were before the wait.
    """
    asked = {"request_id": request_id, "voter": voter, "today": today}
    if bulk.is_postgresql(session):
        request = requests.lock(session, request_id)
        rest = _rest.execute(session, asked)[0]
    else:
        rows = _whole.execute(session, asked)
        request = requests.of_row(rows[0][: -len(_parts)]) if rows else None
        rest = rows[0][-len(_parts) :] if rows else ()
    return None if request is None else _held(request, *rest)


def _held(request: Request, polls: str, parties: str, attendees: str, copies: str, failed: Any) -> Held:  # noqa: ANN401, PLR0917 - the columns of a row
    about = votes.about_of({request.id: request}, polls, parties, attendees)
    return Held(request, about, messages.copies_of(bulk.of_json(copies)), bool(failed))
