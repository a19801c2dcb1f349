"""Keys by which gateways authenticate: shown once, stored as a hash, with scopes and the source they speak for."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy import texts
from policy.reasons import Refusal
from store import audit
from store.usage import keys

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from programme.moment import Moment
    from store.usage.keys import ApiKey

SCOPES = ("usage:write", "usage:correct", "outcomes:write", "holds:write", "scim:write")
PREFIX = "tb_"


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key; `secret` is nowhere else."""

    id: str
    secret: str = field(repr=False)


def create(
    moment: Moment, *, name: str, source: str, scopes: Sequence[str], actor: str, expires_at: datetime | None = None
) -> CreatedKey:
    """Make a key for a source. A name that is taken and a scope that does not exist are refused."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise Refusal(
            "unknown_scope",
            f"scope {unknown[0] if unknown else ''!r} does not exist.",
            next_step=f"Scopes are {', '.join(SCOPES)}.",
        )
    texts.require_name("name", name)
    texts.require_name("source", source)
    _require_to_come(expires_at, moment.now)
    secret, key_id = _new_secret(), f"key_{secrets.token_hex(6)}"
    try:
        keys.insert(
            moment.session,
            key_id=key_id,
            name=name,
            source=source,
            scopes=scopes,
            secret_hash=_hash(secret),
            now=moment.now,
            expires_at=expires_at,
        )
    except sa.exc.IntegrityError as error:
        raise Refusal(
            "key_name_taken", f"There is already a key named {name!r}.", next_step="Choose another name."
        ) from error
    after = {"name": name, "source": source, "scopes": list(scopes), **_until("expires_at", expires_at)}
    audit.note(moment.session, actor, "key.create", key_id, at=moment.now, after=after)
    return CreatedKey(key_id, secret)


def rotate(moment: Moment, name: str, *, keep: timedelta, actor: str, expires_at: datetime | None = None) -> CreatedKey:
    """Give a key another secret; the one that it has goes on opening for a while, so that no request is lost.

    Refused while the secret before that one still opens: whoever uses it would be shut out. Keeping the old one for no
    time at all ends both at once, as a leak demands.
    """
    key = keys.named(moment.session, name, now=moment.now)
    if key is None:
        raise _unknown(name)
    if keep and key.former_ends_at is not None and key.former_ends_at > moment.now:
        raise Refusal(
            "rotating",
            f"The secret before the last rotation still opens, until {key.former_ends_at:%Y-%m-%d %H:%M} UTC.",
            next_step="Rotate again after that, or with `--keep 0`, which ends all earlier secrets at once.",
        )
    _require_to_come(expires_at, moment.now)
    secret, former_ends_at = _new_secret(), moment.now + keep
    ends = expires_at or key.expires_at
    keys.rotate(moment.session, key.id, secret_hash=_hash(secret), former_ends_at=former_ends_at, expires_at=ends)
    after = _until("former_ends_at", former_ends_at) | _until("expires_at", ends)
    audit.note(moment.session, actor, "key.rotate", key.id, at=moment.now, after=after)
    return CreatedKey(key.id, secret)


def _require_to_come(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise Refusal("key_expired", "The key would be expired already.", next_step="Choose a day to come.")


def _until(name: str, instant: datetime | None) -> dict[str, str]:
    return {name: instant.isoformat()} if instant is not None else {}


def _new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def revoke(moment: Moment, name: str, *, actor: str) -> None:
    """End a key at once; refused when no key in force has that name or id."""
    key_id = keys.revoke(moment.session, name, now=moment.now)
    if key_id is None:
        raise _unknown(name)
    audit.note(moment.session, actor, "key.revoke", key_id, at=moment.now)


def _unknown(name: str) -> Refusal:
    return Refusal("unknown_key", f"No key in force is named {name!r}.", next_step="See `tokens-bot keys list`.")


def authenticate(moment: Moment, secret: str) -> ApiKey | None:
    """The key in force that a secret belongs to.

    The secret is 256 random bits, so a plain hash is enough. It is looked up by that hash and never compared itself:
    how long that takes says nothing about a secret whose hash no one can choose.
    """
    return keys.in_force(moment.session, _hash(secret), now=moment.now)


def note_use(moment: Moment, key: ApiKey) -> None:
    """Keep that a key is in use, which tells the forgotten ones from the others."""
    keys.note_use(moment.session, key.id, now=moment.now)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
