"""Parts of what is held about people, each of one table: which rows are meant, and what is done to them.

A part is the same whether one person is erased or whatever is older than an instant: the scope says of whom, or from
before when.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from store import bulk, locks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from store.engine import Session

ERASED = "[erased]"
AT_A_TIME = 1_000


class Scope(NamedTuple):
    """What is about a person, or what is from before an instant; of that, what is from before `since` is gone."""

    person_id: str | None = None
    before: datetime | None = None
    since: datetime | None = None

    def of(self, person: sa.ColumnElement[Any], over: Callable[[datetime], sa.ColumnElement[bool]]) -> Any:  # noqa: ANN401 - a condition
        """The condition of this scope: whose it is, or that it was over then."""
        if self.before is not None:
            return over(self.before)
        return person == self.person_id


class Taken(NamedTuple):
    """How many rows a batch took something away of, and where the next one begins; None after the last one."""

    rows: int
    place: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`found` selects the rows of a scope of which something is left to be taken, and `take` takes it.

    Where looking for them takes long they have a `place`: a column that is never empty, by which they are gone through.
    Those of usage have a `source`, which is held meanwhile.
    """

    name: str
    found: Callable[[Session, Scope], sa.Select[Any]]
    change: Callable[[Session, Scope, Sequence[sa.Row[Any]]], None]
    place: sa.ColumnElement[int] | None = None
    is_usage: bool = False

    def count(self, session: Session, scope: Scope) -> int:
        query = sa.select(sa.func.count()).select_from(self.found(session, scope).subquery())
        return int(session.execute(query).scalar_one())

    def take(self, session: Session, scope: Scope, *, place: int = 0, limit: int) -> Taken:
        """Take away what a batch of rows holds. A row whose turn was over before has nothing left to be found by."""
        query = self.found(session, scope).limit(limit)
        if self.place is not None:
            query = query.where(self.place >= place).order_by(self.place)
        rows = session.execute(query).all()
        held = rows
        if rows and self.is_usage:
            rows, held = _hold(session, query, rows)
        if held:
            self.change(session, scope, held)
        if len(rows) < limit:
            return Taken(len(held), None)
        return Taken(len(held), rows[-1].place if self.place is not None else 0)

    def take_all(self, session: Session, scope: Scope) -> int:
        """The same of everything in a scope, for scopes of one person."""
        total, place = 0, 0
        while True:
            taken = self.take(session, scope, place=place, limit=AT_A_TIME)
            total += taken.rows
            if taken.place is None:
                return total
            place = taken.place


def keyed(table: sa.Table, rows: Sequence[sa.Row[Any]]) -> sa.ColumnElement[bool]:
    """The condition of being one of some rows, which begin with the table's key."""
    keys = list(table.primary_key)
    if len(keys) == 1:
        return keys[0].in_([row[0] for row in rows])
    return sa.tuple_(*keys).in_([tuple(row[: len(keys)]) for row in rows])


def _hold(
    session: Session, query: sa.Select[Any], rows: Sequence[sa.Row[Any]]
) -> tuple[Sequence[sa.Row[Any]], Sequence[sa.Row[Any]]]:
    """The rows as they are once no correction can come between any more; and those of them that are held."""
    sources = {row.source for row in rows}
    locks.hold_sources(session, "usage", sources)
    if bulk.is_postgresql(session):
        rows = session.execute(query).all()
    return rows, [row for row in rows if row.source in sources]
