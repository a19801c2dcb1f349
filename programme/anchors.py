"""The audit log's last hash, told outside of the database.

Each row carries the hash of the one before it, so a changed row is found. Only who knows a hash from before notices
that the end is missing, or that everything was written anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.period import Month, first_instant
from store import audit
from store.outbox import messages
from store.outbox.messages import NewMessage
from views import codec
from views.audit import Anchor

if TYPE_CHECKING:
    from programme.moment import Moment

TEMPLATE = "audit/anchor"
MONTH, EXPORT, CLOSING = "month", "export", "closing"


def is_owed(moment: Moment) -> bool:
    """Whether the board has a channel, and the log has rows from before this month to hold fast."""
    if moment.governance_channel is None:
        return False
    begun = audit.begun_at(moment.session)
    return begun is not None and begun < first_instant(Month.containing(moment.today).first_day, moment.zone)


def owe(moment: Moment, occasion: str) -> None:
    """Owe the board's channel where the log stands; an occasion at which nothing has happened since is none."""
    head = audit.head(moment.session)
    if head is None or moment.governance_channel is None or messages.is_owed(moment.session, _key(head)):
        return
    view = codec.written(Anchor(*head, at=moment.now, occasion=occasion))
    # It goes out at once: what waits can be changed by whoever would change the log.
    letter = NewMessage(_key(head), TEMPLATE, view, None, moment.governance_channel, moment.now, at_once=True)
    messages.owe(moment.session, [letter], now=moment.now)


def _key(head: audit.Head) -> str:
    return f"anchor:{head.seq}"


def note_export(
    moment: Moment, action: str, *, actor: str, lines: int, subject: str = "csv", digest: str | None = None
) -> None:
    """Record that someone took figures out, and tell where the log stands with that; `digest` is the file's."""
    after = {"lines": lines, **({"sha256": digest} if digest else {})}
    audit.note(moment.session, actor, action, subject, at=moment.now, after=after)
    owe(moment, EXPORT)
