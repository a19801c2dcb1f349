"""What the calendar does about appeals: remind those who can decide, once, call in others, end what no one decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.appeals import OPEN
from programme.appeals import appeals, deciding, notices
from store.appeals import records as store
from store.appeals.records import ESCALATE, LAPSE, REMIND, UPHOLD

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
        return _time_is_up(moment, appeal)
    if appeal.remind_at is None or moment.now < appeal.remind_at:
        return None
    store.note_reminded(moment.session, appeal)
    _remind(moment, appeal)
    return REMIND


def _time_is_up(moment: Moment, appeal: Appeal) -> str:
    days = moment.handbook.appeals.escalated_days
    if appeal.escalated_at is not None:
        deciding.end_in_favour(moment, appeal)
        return UPHOLD
    if days is not None:
        deciding.escalate(moment, appeal, days)
        return ESCALATE
    deciding.lapse(moment, appeal)
    return LAPSE


def _remind(moment: Moment, appeal: Appeal) -> None:
    """Remind those who can decide; where no one can, tell those who can change that."""
    if able := appeals.deciders(moment, appeal):
        notices.remind(moment, appeal, able)
    else:
        notices.tell_of_nobody(moment, appeal, appeals.concerned(moment, appeal))
