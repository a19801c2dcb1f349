"""Messages owed to Slack: written with what they tell of, leased by couriers, and never deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from store import bulk
from store.tables import outbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from store.engine import Session


class NewLetter(NamedTuple):
    """A message to a person or to a channel; `view` is what it says, as JSON text."""

    key: str
    template: str
    view: str
    person_id: str | None
    channel: str | None
    due_at: datetime


COLUMNS = ("key", "template", "view", "person_id", "channel", "created_at", "due_at", "state")


def owe(session: Session, letters: Sequence[NewLetter], *, now: datetime) -> None:
    """Add messages; one whose key is there already is a mistake of the caller (IntegrityError)."""
    instant = bulk.instant_codec(session)
    created_at = instant(now)
    rows = [(*letter[:5], created_at, instant(letter.due_at), "waiting") for letter in letters]
    bulk.insert(session, outbox, COLUMNS, rows)
