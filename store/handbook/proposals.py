"""Versions of the handbook that wait for a second person, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from store.tables.handbook import handbook_proposals
from views.handbook import OPEN, Proposal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from store.engine import Session


_p = handbook_proposals.c
_query = sa.select(*(_p[name] for name in Proposal._fields))


def lock(session: Session, proposal_id: str) -> Proposal | None:
    """A proposal, held until the transaction ends, so that decisions on it follow one another."""
    row = session.execute(_query.where(_p.id == proposal_id).with_for_update()).one_or_none()
    return Proposal._make(row) if row else None


def get(session: Session, proposal_id: str) -> Proposal | None:
    row = session.execute(_query.where(_p.id == proposal_id)).one_or_none()
    return Proposal._make(row) if row else None


def all_open(session: Session) -> list[Proposal]:
    """What waits for a second person, in the order in which it would hold."""
    query = _query.where(_p.state == OPEN).order_by(_p.effective_from, _p.proposed_at, _p.id)
    return [Proposal._make(row) for row in session.execute(query)]


def everything(session: Session) -> list[Proposal]:
    """Every proposal there was, the latest first."""
    query = _query.order_by(_p.proposed_at.desc(), _p.id)
    return [Proposal._make(row) for row in session.execute(query)]


def open_before(session: Session, instant: datetime) -> Sequence[tuple[str, datetime]]:
    """(id, since when) of what has been open since an instant or longer, the oldest first."""
    query = sa.select(_p.id, _p.proposed_at).where(_p.state == OPEN, _p.proposed_at <= instant)
    return [(id_, at) for id_, at in session.execute(query.order_by(_p.proposed_at, _p.id))]


def insert(session: Session, proposal: Proposal) -> None:
    """Keep a new proposal; a second open one of a version is an IntegrityError."""
    session.execute(sa.insert(handbook_proposals).values(proposal._asdict()))


def decide(
    session: Session, proposal_id: str, *, state: str, by: str, now: datetime, reason: str | None = None
) -> Proposal | None:
    """Close an open proposal; None when it is not open any more."""
    closed = sa.update(handbook_proposals).where(_p.id == proposal_id, _p.state == OPEN)
    values = {"state": state, "decided_by": by, "decided_at": now, "reason": reason}
    is_first = session.execute(closed.values(**values)).rowcount == 1
    return get(session, proposal_id) if is_first else None
