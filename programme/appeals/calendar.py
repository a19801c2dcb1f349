"""What the calendar does about appeals: remind those who can decide, once, and end what no one decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.appeals import OPEN
from programme.appeals import appeals, deciding, notices
from store.appeals import records as store
from store.appeals.records import LAPSE, REMIND

if TYPE_CHECKING:
    from programme.moment import Moment
    from views.appeals import Appeal


def advance(moment: Moment, appeal_id: str) -> str | None:
    """Do what is due about an appeal, once; what was done, or None when someone else did it or decided.

    After an outage the latest of the steps that are due is done, and those before it are left out.
    """
    appeal = appeals.locked(moment, appeal_id)
    if appeal.state != OPEN:
        return None
    if moment.now >= appeal.decide_by:
        deciding.lapse(moment, appeal_id)
        return LAPSE
    if appeal.remind_at is None or moment.now < appeal.remind_at:
        return None
    store.note_reminded(moment.session, appeal)
    _remind(moment, appeal)
    return REMIND


def _remind(moment: Moment, appeal: Appeal) -> None:
    """Remind those who can decide; where no one can, tell those who can change that."""
    if able := appeals.deciders(moment, appeal):
        notices.remind(moment, appeal, able)
    else:
        notices.tell_of_nobody(moment, appeal, appeals.concerned(moment, appeal))
