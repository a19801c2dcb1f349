"""Where people and programs talk to us: slash commands and HTTP intake."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from programme.desk import Desk
    from store.engine import Session


def contact_of(desk: Desk, session: Session, now: datetime) -> str:
    """Whom a person should ask, as the handbook says."""
    return desk.recent_handbooks.get(session, now).versions[-1].contact
