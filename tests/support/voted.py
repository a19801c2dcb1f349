"""Short ways to let a board decide a quarter's review."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.reasons import Refusal
from programme import case_decisions, review_decisions
from programme.review_decisions import Ballot
from store import people as people_store
from store import review_votes as store
from store import reviews
from tests.support.reviewed import MORNING, Q4

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from programme.case_decisions import Decided
    from programme.desk import Desk
    from programme.review_decisions import Voted
    from store.engine import Session
    from store.people import Person
    from store.review_votes import Panel
    from store.reviews import Kept


def person(session: Session, email: str) -> Person:
    found = people_store.by_email(session, email)
    assert found is not None
    return found


def panel(session: Session) -> Panel:
    found = store.panel(session, Q4)
    assert found is not None
    return found


def vote(
    session: Session, desk: Desk, who: str, *, adopts: bool = True, package: int | None = None, now: datetime = MORNING
) -> Voted:
    ballot = Ballot(package or panel(session).package, adopts, None if adopts else "Too many cuts")
    return review_decisions.vote(session, person(session, who), Q4, ballot, desk=desk, now=now)


def case(session: Session, whose: str) -> Kept:
    found = reviews.case(session, Q4, person(session, whose).id)
    assert found is not None
    return found


def hold(session: Session, desk: Desk, who: str, whose: str, *, reason: str = "On leave", seen: str = "") -> Decided:
    seen = seen or case_decisions.mark(case(session, whose))
    return case_decisions.hold(
        session, person(session, who), Q4, person(session, whose).id, reason=reason, seen=seen, desk=desk, now=MORNING
    )


def amend(session: Session, desk: Desk, who: str, whose: str, change: str) -> Decided:
    seen = case_decisions.mark(case(session, whose))
    return case_decisions.amend(
        session, person(session, who), Q4, person(session, whose).id, change=change, reason="Half of it", seen=seen,
        desk=desk, now=MORNING,
    )  # fmt: skip


def put_back(session: Session, desk: Desk, who: str, whose: str) -> Decided:
    seen = case_decisions.mark(case(session, whose))
    return case_decisions.put_back(
        session, person(session, who), Q4, person(session, whose).id, seen=seen, desk=desk, now=MORNING
    )


def code(act: Callable[[], object]) -> str:
    """The code with which something is refused."""
    try:
        act()
    except Refusal as refusal:
        return refusal.code
    raise AssertionError("it was not refused")
