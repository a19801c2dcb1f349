"""Who else could get at the bot's secrets and its ledger, as `doctor` tells it: files, and keys of gateways."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.findings import Finding
from store.engine import OTHERS
from store.usage import keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from programme.app import App
    from store.usage.keys import ApiKey

SOON = timedelta(days=14)
"""So long before a key expires it is told."""
FORGOTTEN = timedelta(days=90)
"""A key that nobody has used for so long may be nobody's any more."""


def files(app: App) -> Iterator[Finding]:
    """Files with secrets or figures that others on this machine may read."""
    looked_at = {Path(".env"): "It holds the tokens of Slack"}
    if app.database.dialect == "sqlite":
        looked_at[Path(str(app.database.writer.url.database))] = "It is the ledger"
    for path, why in looked_at.items():
        if path.exists() and path.stat().st_mode & OTHERS:
            yield Finding("warning", f"Others on this machine may read {path}. {why}.", f"Run `chmod 600 {path}`.")


def keys_of_gateways(app: App) -> Iterator[Finding]:
    """Keys that end soon, or that nobody seems to use."""
    now = app.clock()
    with app.database.reading() as session:
        listed = keys.listed(session)
    for key in listed:
        if not key.state(now):
            yield from _of(key, now)


def _of(key: ApiKey, now: datetime) -> Iterator[Finding]:
    if key.expires_at is not None and key.expires_at - now < SOON:
        what = f"Key {key.name!r} of {key.source} opens nothing from {key.expires_at:%Y-%m-%d %H:%M} UTC on."
        yield Finding("warning", what, f"`tokens-bot keys rotate {key.name} --expires DAY` gives it a new secret.")
    if now - (key.last_used_at or key.created_at) > FORGOTTEN:
        what = f"Key {key.name!r} of {key.source} has not been used for {FORGOTTEN.days} days."
        yield Finding("warning", what, f"If no one needs it, `tokens-bot keys revoke {key.name}`.")
