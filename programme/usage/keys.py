"""Keys by which gateways authenticate: shown once, stored as a hash, with scopes and the source they speak for."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.reasons import Refusal
from store import audit
from store.usage import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from programme.moment import Moment
    from store.usage.keys import ApiKey

SCOPES = ("usage:write", "usage:correct", "outcomes:write")
PREFIX = "tb_"


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key; `secret` is nowhere else."""

    id: str
    secret: str


def create(moment: Moment, *, name: str, source: str, scopes: Sequence[str], actor: str) -> CreatedKey:
    """Make a key for a source. A name that is taken and a scope that does not exist are refused."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise Refusal(
            "unknown_scope",
            f"scope {unknown[0] if unknown else ''!r} does not exist.",
            next_step=f"Scopes are {', '.join(SCOPES)}.",
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    key_id = f"key_{secrets.token_hex(6)}"
    try:
        keys.insert(
            moment.session,
            key_id=key_id,
            name=name,
            source=source,
            scopes=scopes,
            secret_hash=_hash(secret),
            now=moment.now,
        )
    except sa.exc.IntegrityError as error:
        raise Refusal(
            "key_name_taken", f"There is already a key named {name!r}.", next_step="Choose another name."
        ) from error
    after = {"name": name, "source": source, "scopes": list(scopes)}
    audit.note(moment.session, actor, "key.create", key_id, at=moment.now, after=after)
    return CreatedKey(key_id, secret)


def revoke(moment: Moment, name: str, *, actor: str) -> None:
    """End a key at once; refused when no key in force has that name or id."""
    key_id = keys.revoke(moment.session, name, now=moment.now)
    if key_id is None:
        raise Refusal("unknown_key", f"No key in force is named {name!r}.", next_step="See `tokens-bot keys list`.")
    audit.note(moment.session, actor, "key.revoke", key_id, at=moment.now)


def authenticate(moment: Moment, secret: str) -> ApiKey | None:
    """The key in force that a secret belongs to.

    The secret is 256 random bits, so a plain hash is enough, and looking it up by hash leaks no timing.
    """
    return keys.in_force(moment.session, _hash(secret))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
