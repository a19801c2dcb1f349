"""Keys of gateways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from store.tables.people import api_keys

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from store.engine import Session


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: str
    name: str
    source: str
    scopes: frozenset[str]
    created_at: datetime
    revoked_at: datetime | None


_key = sa.select(
    api_keys.c.id, api_keys.c.name, api_keys.c.source, api_keys.c.scopes, api_keys.c.created_at, api_keys.c.revoked_at
)


def _from_row(row: Any) -> ApiKey:  # noqa: ANN401 - a row of the query above
    return ApiKey(row.id, row.name, row.source, frozenset(row.scopes.split()), row.created_at, row.revoked_at)


def insert(
    session: Session,
    *,
    key_id: str,
    name: str,
    source: str,
    scopes: Sequence[str],
    secret_hash: bytes,
    now: datetime,
) -> None:
    session.execute(
        sa.insert(api_keys).values(
            id=key_id, name=name, source=source, scopes=" ".join(scopes), secret_hash=secret_hash, created_at=now
        )
    )


def revoke(session: Session, name_or_id: str, *, now: datetime) -> str | None:
    """End the key in force that has this name or id; its id, or None."""
    named = sa.or_(api_keys.c.name == name_or_id, api_keys.c.id == name_or_id)
    statement = (
        sa.update(api_keys)
        .where(named, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(api_keys.c.id)
    )
    return session.execute(statement).scalar_one_or_none()


def in_force(session: Session, secret_hash: bytes) -> ApiKey | None:
    query = _key.where(api_keys.c.secret_hash == secret_hash, api_keys.c.revoked_at.is_(None))
    row = session.execute(query).one_or_none()
    return _from_row(row) if row else None


def listed(session: Session) -> list[ApiKey]:
    return [_from_row(row) for row in session.execute(_key.order_by(api_keys.c.created_at))]
