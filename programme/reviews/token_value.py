"""The token value that is proposed with a review: adopted with its package, or confirmed afterwards by a second person.

What became of it is read from the values themselves, so that the pack is right whoever adopted it, and where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.period import Month
from policy.reasons import Refusal
from programme.value import valuation
from store import locks
from store.handbook import reference
from store.locks import Lock
from store.people import directory as people_store
from views.people import PersonName
from views.reviews import NOT_PROPOSED, ValueState

if TYPE_CHECKING:
    from policy.period import Quarter
    from programme.moment import Moment
    from views.reviews import Review

NONE, FIXED, OVER, ANOTHER = "none", "fixed", "over", "another"
WAITS, FIRST, ADOPTED = "waits", "first", "adopted"


def quarter_of(kept: Review) -> Quarter:
    """The quarter for which a value is proposed with a review: that of the month that is sized."""
    return Month.parse(kept.basis.month).quarter


def standing(moment: Moment, kept: Review) -> ValueState:
    """Where the value stands that is proposed with a review."""
    if kept.value_proposal is None:
        return NOT_PROPOSED
    quarter = quarter_of(kept)
    for one in reference.adoptions(moment.session, quarter):
        if valuation.digest_of(one.calculation) == kept.value_proposal:
            by = _named(moment, one.adopted_by, one.confirmed_by)
            return ValueState(ADOPTED, quarter, version=one.version, by=by)
    if moment.now >= quarter.bounds(moment.zone)[1]:
        return ValueState(OVER, quarter)
    return _unadopted(moment, quarter, kept.value_proposal)


def _unadopted(moment: Moment, quarter: Quarter, digest: str) -> ValueState:
    """Whether a value that no one adopted can still be, and by how many people."""
    books = moment.handbooks
    book = books.on(quarter.first_day)
    proposed = reference.proposal(moment.session, quarter)
    if book.value.method == "fixed":
        return ValueState(FIXED, quarter)
    if proposed is None or proposed.digest != digest:
        return ValueState(ANOTHER, quarter)
    needs_two = valuation.needs_two(valuation.expected(moment, quarter, books), proposed.calculation, book)
    if needs_two and proposed.first_adopter is not None:
        return ValueState(FIRST, quarter, needs_two=True, by=_named(moment, proposed.first_adopter))
    return ValueState(WAITS, quarter, needs_two=needs_two)


def _named(moment: Moment, *actors: str | None) -> tuple[PersonName, ...]:
    """Who of them takes part in the programme: from the command line, people are known by other names."""
    known = people_store.names(moment.session, {actor for actor in actors if actor})
    return tuple(PersonName(*known[actor]) for actor in actors if actor in known)


def adopt(moment: Moment, kept: Review, actor: str) -> str:
    """Adopt the value that a package proposes with the package, as far as that can be; what became of it.

    The deciding voter on the package is the first of the two people where it takes two, or the second.
    """
    # From here on no one proposes or adopts another one.
    locks.hold(moment.session, Lock.VALUES)
    found = standing(moment, kept)
    if found.state not in {WAITS, FIRST} or found.quarter is None:
        return found.state
    try:
        valuation.adopt(moment, found.quarter, actor=actor, digest=kept.value_proposal)
    except Refusal as refusal:
        # The same person was the first already; the grants do not wait for the second.
        if refusal.code != "second_person":
            raise
    return standing(moment, kept).state


def confirm(moment: Moment, kept: Review, actor: str) -> ValueState:
    """The second person's confirmation of a value that was adopted with its package.

    A Refusal says what happened to it meanwhile, or that the same person was the first.
    """
    locks.hold(moment.session, Lock.VALUES)
    found = standing(moment, kept)
    if found.state != FIRST or found.quarter is None:
        raise Refusal(f"value_{found.state}", _why_not(found))
    try:
        valuation.adopt(moment, found.quarter, actor=actor, digest=kept.value_proposal)
    except Refusal as refusal:
        if refusal.code != "second_person":
            raise
        raise Refusal(
            "second_person",
            "You adopted this value as the first of two people, so the second has to be someone else.",
            next_step="Ask another member of the board to confirm it.",
        ) from refusal
    return standing(moment, kept)


def _why_not(found: ValueState) -> str:
    names = " and ".join(one.name for one in found.by)
    return {
        ADOPTED: f"The value is already adopted as {found.version}{f' by {names}' if names else ''}, so nothing"
        " is left to confirm.",
        ANOTHER: f"Another value has since been proposed for {found.quarter}, so this one can no longer be confirmed.",
        OVER: f"{found.quarter} is over, so its value and what was debited in it stay.",
        FIXED: "The handbook now fixes the value, so there is nothing to confirm.",
    }.get(found.state, "This value is not waiting for a second person.")
