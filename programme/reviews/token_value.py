"""The token value that is proposed with a review: adopted with its package, or confirmed afterwards by a second person.

What became of it is read from the values themselves, so that the pack is right whoever adopted it, and where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.period import Month
from policy.reasons import Refusal
from programme import handbooks
from programme.exceptions.cards import Named
from programme.value import valuation
from store import locks
from store.exceptions import requests as requests_store
from store.handbook import reference
from store.locks import Lock

if TYPE_CHECKING:
    from datetime import datetime

    from policy.period import Quarter
    from programme.app import Desk
    from store.engine import Session
    from store.reviews.drafts import Review

NONE, FIXED, OVER, ANOTHER = "none", "fixed", "over", "another"
WAITS, FIRST, ADOPTED = "waits", "first", "adopted"


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of the proposed value of a quarter, or what adopting the package makes of it.

    `none` is proposed; it `waits` to be adopted, or was adopted by the `first` of the two people whom it needs; it is
    `adopted`; or nothing can be done: the handbook has `fixed` the value, `another` one was proposed since, the quarter
    is `over`. `version` is that of the value once it is adopted, `by` those who did so, as far as we know them.
    """

    state: str
    quarter: Quarter | None = None
    needs_two: bool = False
    version: str = ""
    by: tuple[Named, ...] = ()


NOT_PROPOSED = Standing(NONE)


def quarter_of(kept: Review) -> Quarter:
    """The quarter for which a value is proposed with a review: that of the month that is sized."""
    return Month.parse(kept.basis.month).quarter


def standing(session: Session, kept: Review, *, desk: Desk, now: datetime) -> Standing:
    """Where the value stands that is proposed with a review."""
    if kept.value_proposal is None:
        return NOT_PROPOSED
    quarter = quarter_of(kept)
    for one in reference.adoptions(session, quarter):
        if valuation.digest_of(one.calculation) == kept.value_proposal:
            by = _named(session, one.adopted_by, one.confirmed_by)
            return Standing(ADOPTED, quarter, version=one.version, by=by)
    if now >= quarter.bounds(desk.zone)[1]:
        return Standing(OVER, quarter)
    return _unadopted(session, quarter, kept.value_proposal)


def _unadopted(session: Session, quarter: Quarter, digest: str) -> Standing:
    """Whether a value that no one adopted can still be, and by how many people."""
    books = handbooks.load(session)
    book = books.on(quarter.first_day)
    proposed = reference.proposal(session, quarter)
    if book.value.method == "fixed":
        return Standing(FIXED, quarter)
    if proposed is None or proposed.digest != digest:
        return Standing(ANOTHER, quarter)
    needs_two = valuation.needs_two(valuation.expected(session, quarter, books), proposed.calculation, book)
    if needs_two and proposed.first_adopter is not None:
        return Standing(FIRST, quarter, needs_two=True, by=_named(session, proposed.first_adopter))
    return Standing(WAITS, quarter, needs_two=needs_two)


def _named(session: Session, *actors: str | None) -> tuple[Named, ...]:
    """Who of them takes part in the programme: from the command line, people are known by other names."""
    known = requests_store.names(session, {actor for actor in actors if actor})
    return tuple(Named(*known[actor]) for actor in actors if actor in known)


def adopt(session: Session, kept: Review, actor: str, *, desk: Desk, now: datetime) -> str:
    """Adopt the value that a package proposes with the package, as far as that can be; what became of it.

    The deciding voter on the package is the first of the two people where it takes two, or the second.
    """
    # From here on no one proposes or adopts another one.
    locks.hold(session, Lock.VALUES)
    found = standing(session, kept, desk=desk, now=now)
    if found.state not in {WAITS, FIRST} or found.quarter is None:
        return found.state
    try:
        valuation.adopt(session, found.quarter, desk=desk, actor=actor, now=now, digest=kept.value_proposal)
    except Refusal as refusal:
        # The same person was the first already; the grants do not wait for the second.
        if refusal.code != "second_person":
            raise
    return standing(session, kept, desk=desk, now=now).state


def confirm(session: Session, kept: Review, actor: str, *, desk: Desk, now: datetime) -> Standing:
    """The second person's confirmation of a value that was adopted with its package.

    A Refusal says what happened to it meanwhile, or that the same person was the first.
    """
    locks.hold(session, Lock.VALUES)
    found = standing(session, kept, desk=desk, now=now)
    if found.state != FIRST or found.quarter is None:
        raise Refusal(f"value_{found.state}", _why_not(found))
    try:
        valuation.adopt(session, found.quarter, desk=desk, actor=actor, now=now, digest=kept.value_proposal)
    except Refusal as refusal:
        if refusal.code != "second_person":
            raise
        raise Refusal(
            "second_person", "You adopted this value as the first of two people, so the second has to be someone else.",
            next_step="Ask another member of the board to confirm it.",
        ) from refusal  # fmt: skip
    return standing(session, kept, desk=desk, now=now)


def _why_not(found: Standing) -> str:
    names = " and ".join(one.name for one in found.by)
    return {
        ADOPTED: f"The value is already adopted as {found.version}{f' by {names}' if names else ''}, so nothing"
        " is left to confirm.",
        ANOTHER: f"Another value has since been proposed for {found.quarter}, so this one can no longer be confirmed.",
        OVER: f"{found.quarter} is over, so its value and what was debited in it stay.",
        FIXED: "The handbook now fixes the value, so there is nothing to confirm.",
    }.get(found.state, "This value is not waiting for a second person.")
