"""Whose an outcome of work was: what is of a time that nobody decides about any more is a team's, or no one's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from store.privacy.parts import Part, Scope, keyed
from store.tables.outcomes import outcomes
from store.tables.people import reporting_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.engine import Session

_o = outcomes.c


def _waiting(_session: Session, scope: Scope) -> sa.Select[Any]:
    return sa.select(_o.id).where(_o.waiting_for.is_not(None), _o.received_at < scope.before)


def _forget_names(session: Session, _scope: Scope, rows: Sequence[sa.Row[Any]]) -> None:
    session.execute(sa.update(outcomes).where(keyed(outcomes, rows)).values(waiting_for=None))


def _of_persons(_session: Session, scope: Scope) -> sa.Select[Any]:
    query = sa.select(_o.id, _o.id.label("place")).where(_o.unit == "person")
    return query.where(_o.occurred_at < scope.before, _o.received_at < scope.before)


def _hand_to_teams(session: Session, _scope: Scope, rows: Sequence[sa.Row[Any]]) -> None:
    """By the team of the day, as an outcome is that is measured for teams."""
    c = reporting_lines.c
    lines = sa.select(c.manager_id).where(c.person_id == _o.unit_id, c.holds_from <= _o.day)
    manager = lines.order_by(c.holds_from.desc()).limit(1).scalar_subquery()
    session.execute(sa.update(outcomes).where(keyed(outcomes, rows)).values(unit="team", unit_id=manager))


PARTS = (
    Part(name="outcomes, waiting", found=_waiting, change=_forget_names),
    Part(name="outcomes", found=_of_persons, change=_hand_to_teams, place=_o.id),
)
