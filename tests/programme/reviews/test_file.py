"""A review's pack for the file: who may take the cases, what they see of them, and that it is on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.reasons import Refusal
from programme.reviews import calendar, file
from store.people import directory as people_store
from store.reviews import drafts
from store.tables.audit import audit_log
from templates import review_page as written
from tests.support import books, cast, reviewed, voted
from tests.support.clock import Clock
from tests.support.requests import IRIS, OMAR, TESS
from tests.support.reviewed import IDLE, MORNING, Q4, STOPPED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import Desk
    from programme.reviews.file import Cases
    from store.engine import Session

AUDRA, M3 = "audra@example.com", "m3@example.com"
"""Audra audits the programme; M3 leads the team of STOPPED, and is its chair in these tests."""
ROLES = (
    f"email,name,level,role_family,time_zone,hired_on,roles\n{AUDRA},Audra,senior,management,UTC,2022-01-01,auditor\n"
)


@pytest.fixture(scope="module")
def office(shared_desk: Desk) -> Desk:
    assert isinstance(shared_desk.clock, Clock)
    reviewed.settle(shared_desk, shared_desk.clock)
    cast.hire(shared_desk, ROLES)
    cast.hire(shared_desk, f"email,roles\n{M3},chair\n")
    with shared_desk.transaction() as session:
        reviewed.draft(session, shared_desk)
        assert calendar.advance(session, Q4, desk=shared_desk, now=MORNING) == "convene"
    return shared_desk


@pytest.fixture
def session(office: Desk) -> Iterator[Session]:
    """A transaction that leaves nothing."""
    with books.rolled_back(office) as session:
        yield session


def taken(session: Session, office: Desk, by: str) -> Cases:
    found = file.with_cases(session, Q4, by=by, desk=office, now=MORNING)
    assert found.cases is not None
    return found.cases


def on_record(session: Session) -> list[tuple[str, str, dict[str, object]]]:
    query = sa.select(audit_log.c.actor, audit_log.c.subject, audit_log.c.after)
    return [tuple(row) for row in session.execute(query.where(audit_log.c.action == file.ACTION))]


def test_who_audits_gets_every_case_and_it_is_on_record(office: Desk, session: Session) -> None:
    """Nothing is kept from an auditor; who took how much of which quarter is in the audit log."""
    cases = taken(session, office, AUDRA)
    assert len(cases.rows) == len(drafts.cases(session, Q4))
    assert all(row.case for row in cases.rows)
    after = {"cases": len(cases.rows), "not_shown": 0, "package": 1}
    assert on_record(session) == [(voted.person(session, AUDRA).id, str(Q4), after)]


def test_nobody_else_sees_their_own_case_or_a_reports(office: Desk, session: Session) -> None:
    """A chair who leads a team gets the others' cases, and of their team's and their own only that there is one."""
    hidden = {row.name for row in taken(session, office, M3).rows if row.case is None}
    own = {"M3 Example", *(f"T3P{i} Example" for i in range(5))}
    assert hidden == own & {row.name for row in taken(session, office, AUDRA).rows}
    assert {f"T3P{i} Example" for i in range(5)} <= hidden


@pytest.mark.parametrize("who", [TESS, IDLE, "nobody@example.com"])
def test_others_are_refused(office: Desk, session: Session, who: str) -> None:
    """A seat on the board is no right to the file of cases, and a refusal leaves no record of a file."""
    with pytest.raises(Refusal):
        taken(session, office, who)
    assert on_record(session) == []


def test_chair_and_finance_may_take_it(office: Desk, session: Session) -> None:
    """Each takes it once: two records."""
    assert taken(session, office, IRIS).reader == "Iris Tan"
    assert taken(session, office, OMAR).reader == "Omar Haddad"
    assert len(on_record(session)) == 2


def test_a_held_case_is_in_it_with_who_held_it_and_why(office: Desk, session: Session) -> None:
    """The decision, its reason and its author are in the row, and so on the page."""
    voted.hold(session, office, TESS, STOPPED, reason="On leave <since> May")
    name = people_store.by_email(session, STOPPED)
    assert name is not None
    found = file.with_cases(session, Q4, by=AUDRA, desk=office, now=MORNING)
    assert found.cases is not None
    [row] = [row for row in found.cases.rows if row.name == name.name]
    assert row.case is not None
    assert (row.case.decision, row.decided_by) == ("held", "Tess Novak")
    html = written.page(found, found.pack.summary.figures.money)
    assert "On leave &lt;since&gt; May" in html


def test_without_cases_nobody_is_named_but_who_decides_and_who_leads(office: Desk, session: Session) -> None:
    """The pack for the file without cases has no case of a person, needs no role, and is not on record."""
    found = file.of(session, None, desk=office, now=MORNING)
    html = written.page(found, found.pack.summary.figures.money)
    assert found.cases is None
    assert "T1P1 Example" not in html
    assert found.pack.review.inputs_digest in html
    assert on_record(session) == []
