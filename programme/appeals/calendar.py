"""What the calendar does about appeals: remind those who can decide, once, and end what no one decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.appeals import OPEN
from programme.appeals import appeals
from store.appeals import records as store
from store.appeals.records import LAPSE, REMIND

if TYPE_CHECKING:
    from datetime import datetime

    from programme.app import Desk
    from store.engine import Session


def advance(session: Session, appeal_id: str, *, desk: Desk, now: datetime) -> str | None:
    """Do what is due about an appeal, once; what was done, or None when someone else did it or decided.

    After an outage the latest of the steps that are due is done, and those before it are left out.
    """
    appeal = appeals.locked(session, appeal_id)
    if appeal.state != OPEN:
        return None
    if now >= appeal.decide_by:
        appeals.lapse(session, appeal_id, desk=desk, now=now)
        return LAPSE
    if appeal.remind_at is None or now < appeal.remind_at:
        return None
    store.note_reminded(session, appeal)
    appeals.remind(session, appeal, desk=desk, now=now)
    return REMIND
