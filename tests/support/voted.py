"""Short ways to let a board decide a quarter's review."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from policy.reasons import Refusal
from programme.reviews import single_cases, voting
from programme.reviews.voting import Ballot
from store.people import directory as people_store
from store.reviews import drafts
from store.reviews import votes as store
from tests.support import cast, played, reviewed
from tests.support.requests import ALTERNATES
from tests.support.reviewed import IDLE, MORNING, Q4

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from programme.app import App
    from programme.moment import Moment
    from programme.reviews.single_cases import CaseDecision
    from programme.reviews.voting import VoteReceipt
    from store.engine import Session
    from store.people.directory import Person
    from store.reviews.votes import Panel
    from tests.support.clock import Clock
    from views.reviews import ReviewedCase


M3 = "m3@example.com"
"""Leads the team of STOPPED, and sits on the board of these tests."""
BOARD = "C0BOARD"


def settle(app: App, clock: Clock) -> App:
    """The company on the morning of its review, with a board of four; the draft is made, no one was asked yet."""
    office = dataclasses.replace(app, governance_channel=BOARD)

    def play() -> None:
        cast.hire(app, ALTERNATES)
        reviewed.settle(app, clock)
        cast.hire(app, f"email,roles\n{M3},board\n{IDLE},auditor\n")
        with office.transaction() as moment:
            reviewed.draft(moment)

    played.once(app, "drafted", play)
    clock.now = MORNING
    return office


def person(session: Session, email: str) -> Person:
    found = people_store.by_email(session, email)
    assert found is not None
    return found


def panel(session: Session) -> Panel:
    found = store.panel(session, Q4)
    assert found is not None
    return found


def vote(
    moment: Moment, who: str, *, adopts: bool = True, package: int | None = None, now: datetime = MORNING
) -> VoteReceipt:
    ballot = Ballot(package or panel(moment.session).package, adopts, None if adopts else "Too many cuts")
    return voting.vote(moment.at(now), person(moment.session, who), Q4, ballot)


def case(session: Session, whose: str) -> ReviewedCase:
    found = drafts.case(session, Q4, person(session, whose).id)
    assert found is not None
    return found


def hold(moment: Moment, who: str, whose: str, *, reason: str = "On leave", seen: str = "") -> CaseDecision:
    seen = seen or single_cases.mark(case(moment.session, whose))
    return single_cases.hold(
        moment.at(MORNING), person(moment.session, who), Q4, person(moment.session, whose).id, reason=reason, seen=seen
    )


def amend(moment: Moment, who: str, whose: str, change: str) -> CaseDecision:
    seen = single_cases.mark(case(moment.session, whose))
    return single_cases.amend(
        moment.at(MORNING),
        person(moment.session, who),
        Q4,
        person(moment.session, whose).id,
        change=change,
        reason="Half of it",
        seen=seen,
    )


def put_back(moment: Moment, who: str, whose: str) -> CaseDecision:
    seen = single_cases.mark(case(moment.session, whose))
    return single_cases.put_back(
        moment.at(MORNING), person(moment.session, who), Q4, person(moment.session, whose).id, seen=seen
    )


def code(act: Callable[[], object]) -> str:
    """The code with which something is refused."""
    try:
        act()
    except Refusal as refusal:
        return refusal.code
    raise AssertionError("it was not refused")
