"""Keys of gateways."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from store.tables.people import api_keys as k

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from store.engine import Session

HOUR = timedelta(hours=1)
"""How exactly it is kept when a key was used: more would be a write for each request."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key; `former_ends_at` is until when the secret opens that it had before the last rotation."""

    id: str
    name: str
    source: str
    scopes: frozenset[str]
    created_at: datetime
    revoked_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None
    former_ends_at: datetime | None

    def state(self, now: datetime) -> str:
        """What is the matter with it, if anything."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else ""

    def was_used_lately(self, now: datetime) -> bool:
        return self.last_used_at is not None and now - self.last_used_at < HOUR


_key = sa.select(
    k.c.id,
    k.c.name,
    k.c.source,
    k.c.scopes,
    k.c.created_at,
    k.c.revoked_at,
    k.c.expires_at,
    k.c.last_used_at,
    k.c.former_ends_at,
)


def _from_row(row: Any) -> ApiKey:  # noqa: ANN401 - a row of the query above
    values = row._asdict()
    return ApiKey(**{**values, "scopes": frozenset(values["scopes"].split())})


def _named(name_or_id: str, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(sa.or_(k.c.name == name_or_id, k.c.id == name_or_id), _holds(now))


def _holds(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(k.c.revoked_at.is_(None), sa.or_(k.c.expires_at.is_(None), k.c.expires_at > now))


def insert(
    session: Session,
    *,
    key_id: str,
    name: str,
    source: str,
    scopes: Sequence[str],
    secret_hash: bytes,
    now: datetime,
    expires_at: datetime | None = None,
) -> None:
    session.execute(
        sa.insert(k).values(
            id=key_id,
            name=name,
            source=source,
            scopes=" ".join(scopes),
            secret_hash=secret_hash,
            created_at=now,
            expires_at=expires_at,
        )
    )


def revoke(session: Session, name_or_id: str, *, now: datetime) -> str | None:
    """End the key in force that has this name or id; its id, or None."""
    statement = sa.update(k).where(_named(name_or_id, now)).values(revoked_at=now).returning(k.c.id)
    return session.execute(statement).scalar_one_or_none()


def named(session: Session, name_or_id: str, *, now: datetime) -> ApiKey | None:
    """The key in force that has this name or id, held until the transaction ends."""
    row = session.execute(_key.where(_named(name_or_id, now)).with_for_update()).one_or_none()
    return _from_row(row) if row else None


def rotate(
    session: Session, key_id: str, *, secret_hash: bytes, former_ends_at: datetime, expires_at: datetime | None
) -> None:
    """Give a key another secret; the one that it has opens too until it ends, and any before that opens no more."""
    statement = sa.update(k).where(k.c.id == key_id)
    session.execute(
        statement.values(
            former_hash=k.c.secret_hash, former_ends_at=former_ends_at, secret_hash=secret_hash, expires_at=expires_at
        )
    )


def in_force(session: Session, secret_hash: bytes, *, now: datetime) -> ApiKey | None:
    former = sa.and_(k.c.former_hash == secret_hash, k.c.former_ends_at > now)
    row = session.execute(_key.where(sa.or_(k.c.secret_hash == secret_hash, former), _holds(now))).one_or_none()
    return _from_row(row) if row else None


def note_use(session: Session, key_id: str, *, now: datetime) -> None:
    """Keep when a key was used, unless a later use is kept already."""
    earlier = sa.or_(k.c.last_used_at.is_(None), k.c.last_used_at < now)
    session.execute(sa.update(k).where(k.c.id == key_id, earlier).values(last_used_at=now))


def listed(session: Session) -> list[ApiKey]:
    return [_from_row(row) for row in session.execute(_key.order_by(k.c.created_at))]
