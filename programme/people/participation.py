"""Who takes part in the programme in a month: what decides on their grants also decides who pays for their use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import rollout
from policy.rollout import Participant
from store.people import terms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from policy.period import Month
    from programme.moment import Moment
    from store.people.terms import Participant as Person


def participant(person: Person, leaves: Iterable[tuple[object, object]] = ()) -> Participant:
    """What decides whether someone takes part, from the records."""
    return Participant(
        person.level,
        person.role_family,
        person.wave,
        person.hired_on,
        person.left_on,
        tuple(leaves),  # type: ignore[arg-type]  # dates, as the store reads them
    )


def outside(moment: Moment, month: Month, people: Collection[str]) -> set[str]:
    """Those of some people who do not take part in a month: of other role families, or of waves still to come.

    While no launch is set there is nothing to be outside of: tokens are what administrators give.
    """
    book = moment.handbooks.on(month.first_day)
    if book.rollout.launched_on is None:
        return set()
    some = terms.of_some(moment.session, month, people)
    return set(people) - {one.id for one in some if rollout.takes_part(participant(one), month, book.rollout)}
