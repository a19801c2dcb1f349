"""A person's own case in the last review that was adopted: what was decided, and their appeal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.reasons import Refusal
from programme.appeals import appeals
from programme.reviews import effects
from store.appeals import records as store
from store.people import directory as people_store
from store.reviews import drafts

if TYPE_CHECKING:
    from datetime import datetime

    from policy.period import Quarter
    from programme.app import Desk
    from programme.appeals.appeals import Card
    from programme.reviews.effects import Changed
    from store.engine import Session
    from store.people.directory import Person


@dataclass(frozen=True, slots=True)
class Mine:
    """The quarter is None where no review was adopted yet, the rest also where the person had no case in it."""

    quarter: Quarter | None
    changed: Changed | None
    appeal: Card | None
    may_appeal: bool


NOTHING = Mine(None, None, None, may_appeal=False)


def of(session: Session, person: Person, *, desk: Desk, now: datetime) -> Mine:
    """As the person may know it: of what is only drafted or has lapsed nothing, since a proposal decides nothing."""
    kept = drafts.last_adopted(session)
    if kept is None or kept.decided_at is None:
        return NOTHING
    case = drafts.case(session, kept.quarter, person.id)
    if case is None:
        return Mine(kept.quarter, None, None, may_appeal=False)
    changed = effects.of(session, kept, case, people_store.zone_of(person), desk=desk)
    appeal = store.get(session, kept.quarter, person.id)
    if appeal is not None:
        return Mine(kept.quarter, changed, appeals.card(session, appeal.id, desk=desk, now=now), may_appeal=False)
    return Mine(kept.quarter, changed, None, _may_appeal(session, person, kept.quarter, desk=desk, now=now))


def _may_appeal(session: Session, person: Person, quarter: Quarter, *, desk: Desk, now: datetime) -> bool:
    try:
        appeals.require_open_to_appeal(session, person, quarter, desk=desk, now=now)
    except Refusal:
        return False
    return True
