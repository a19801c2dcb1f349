"""A person's own case in the last review that was adopted: what was decided, and their appeal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.reasons import Refusal
from programme.appeals import cards, filing
from programme.reviews import effects
from store.appeals import records as store
from store.reviews import drafts
from views.reviews import ADOPTED

if TYPE_CHECKING:
    from policy.period import Quarter
    from programme.moment import Moment
    from store.people.directory import Person
    from views.appeals import Card
    from views.reviews import Changed, ReviewedCase


@dataclass(frozen=True, slots=True)
class Mine:
    """The quarter is None where no review was adopted yet, the rest also where the person had no case in it."""

    quarter: Quarter | None
    changed: Changed | None
    appeal: Card | None
    may_appeal: bool


NOTHING = Mine(None, None, None, may_appeal=False)


def of(moment: Moment, person: Person) -> Mine:
    """As the person may know it: of what is only drafted or has lapsed nothing, since a proposal decides nothing."""
    kept = drafts.last_adopted(moment.session)
    if kept is None or kept.decided_at is None:
        return NOTHING
    case = drafts.case(moment.session, kept.quarter, person.id)
    if case is None:
        return Mine(kept.quarter, None, None, may_appeal=False)
    changed = effects.of(moment, kept, case)
    appeal = store.get(moment.session, kept.quarter, person.id)
    if appeal is not None:
        return Mine(kept.quarter, changed, cards.of(moment, appeal.id), may_appeal=False)
    return Mine(kept.quarter, changed, None, _may_appeal(moment, person, kept.quarter))


def adopted(moment: Moment, person: Person, quarter: Quarter) -> ReviewedCase:
    """A person's own case in a review that was adopted; of any other they know nothing."""
    kept = drafts.get(moment.session, quarter)
    case = drafts.case(moment.session, quarter, person.id)
    if kept is None or kept.state != ADOPTED or case is None:
        raise Refusal("no_case", f"You have no case in an adopted review of {quarter}.")
    return case


def _may_appeal(moment: Moment, person: Person, quarter: Quarter) -> bool:
    try:
        filing.require_open_to_appeal(moment, person, quarter)
    except Refusal:
        return False
    return True
