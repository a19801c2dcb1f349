"""Offers on record: figures under a label, until they are deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from store.tables.offers import offers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from store.engine import Session

_o = offers.c


class StoredOffer(NamedTuple):
    """A row as it is kept; `content` as plain values."""

    id: str
    idempotency_key: str
    label: str
    made_at: datetime
    made_by: str
    handbook_version: str
    value_version: str
    content: Mapping[str, Any]


def keep(session: Session, offer: StoredOffer) -> None:
    session.execute(sa.insert(offers).values(**offer._asdict()))


def get(session: Session, offer_id: str) -> StoredOffer | None:
    return _one(session, _o.id == offer_id)


def by_key(session: Session, key: str) -> StoredOffer | None:
    return _one(session, _o.idempotency_key == key)


def _one(session: Session, condition: sa.ColumnElement[bool]) -> StoredOffer | None:
    row = session.execute(_columns().where(condition)).one_or_none()
    return None if row is None else StoredOffer(*row)


def latest(session: Session, *, limit: int, since: datetime | None = None) -> list[StoredOffer]:
    """The latest first, all or from an instant on."""
    query = _columns() if since is None else _columns().where(_o.made_at >= since)
    rows = session.execute(query.order_by(_o.made_at.desc(), _o.id).limit(limit))
    return [StoredOffer(*row) for row in rows]


def _columns() -> sa.Select[Any]:
    return sa.select(*(_o[name] for name in StoredOffer._fields))


def forget(session: Session, *, before: datetime) -> int:
    """Delete what was made before an instant; how many."""
    return session.execute(sa.delete(offers).where(_o.made_at < before)).rowcount
