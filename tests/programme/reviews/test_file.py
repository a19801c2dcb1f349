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

    from programme.app import App
    from programme.moment import Moment
    from views.reviews import Cases

AUDRA, M3 = "audra@example.com", "m3@example.com"
"""Audra audits the programme; M3 leads the team of STOPPED, and is its chair in these tests."""
ROLES = (
    f"email,name,level,role_family,time_zone,hired_on,roles\n{AUDRA},Audra,senior,management,UTC,2022-01-01,auditor\n"
)


@pytest.fixture(scope="module")
def office(shared_app: App) -> App:
    assert isinstance(shared_app.clock, Clock)
    reviewed.settle(shared_app, shared_app.clock)
    cast.hire(shared_app, ROLES)
    cast.hire(shared_app, f"email,roles\n{M3},chair\n")
    with shared_app.transaction(MORNING) as moment:
        reviewed.draft(moment)
        assert calendar.advance(moment, Q4) == "convene"
    return shared_app


@pytest.fixture
def moment(office: App) -> Iterator[Moment]:
    """A transaction that leaves nothing."""
    with books.rolled_back(office) as moment:
        yield moment


def taken(moment: Moment, by: str) -> Cases:
    found = file.with_cases(moment.at(MORNING), Q4, by=by)
    assert found.cases is not None
    return found.cases


def on_record(moment: Moment) -> list[tuple[str, str, dict[str, object]]]:
    query = sa.select(audit_log.c.actor, audit_log.c.subject, audit_log.c.after)
    return [tuple(row) for row in moment.session.execute(query.where(audit_log.c.action == file.ACTION))]


def test_who_audits_gets_every_case_and_it_is_on_record(moment: Moment) -> None:
    """Nothing is kept from an auditor; who took how much of which quarter is in the audit log."""
    cases = taken(moment, AUDRA)
    assert len(cases.rows) == len(drafts.cases(moment.session, Q4))
    assert all(row.case for row in cases.rows)
    after = {"cases": len(cases.rows), "not_shown": 0, "package": 1}
    assert on_record(moment) == [(voted.person(moment.session, AUDRA).id, str(Q4), after)]


def test_nobody_else_sees_their_own_case_or_a_reports(moment: Moment) -> None:
    """A chair who leads a team gets the others' cases, and of their team's and their own only that there is one."""
    hidden = {row.name for row in taken(moment, M3).rows if row.case is None}
    own = {"M3 Example", *(f"T3P{i} Example" for i in range(5))}
    assert hidden == own & {row.name for row in taken(moment, AUDRA).rows}
    assert {f"T3P{i} Example" for i in range(5)} <= hidden


@pytest.mark.parametrize("who", [TESS, IDLE, "nobody@example.com"])
def test_others_are_refused(moment: Moment, who: str) -> None:
    """A seat on the board is no right to the file of cases, and a refusal leaves no record of a file."""
    with pytest.raises(Refusal):
        taken(moment, who)
    assert on_record(moment) == []


def test_chair_and_finance_may_take_it(moment: Moment) -> None:
    """Each takes it once: two records."""
    assert taken(moment, IRIS).reader == "Iris Tan"
    assert taken(moment, OMAR).reader == "Omar Haddad"
    assert len(on_record(moment)) == 2


def test_a_held_case_is_in_it_with_who_held_it_and_why(moment: Moment) -> None:
    """The decision, its reason and its author are in the row, and so on the page."""
    voted.hold(moment, TESS, STOPPED, reason="On leave <since> May")
    name = people_store.by_email(moment.session, STOPPED)
    assert name is not None
    found = file.with_cases(moment.at(MORNING), Q4, by=AUDRA)
    assert found.cases is not None
    [row] = [row for row in found.cases.rows if row.name == name.name]
    assert row.case is not None
    assert (row.case.decision, row.decided_by) == ("held", "Tess Novak")
    html = written.page(found, found.pack.summary.figures.money)
    assert "On leave &lt;since&gt; May" in html


def test_without_cases_nobody_is_named_but_who_decides_and_who_leads(moment: Moment) -> None:
    """The pack for the file without cases has no case of a person, needs no role, and is not on record."""
    found = file.of(moment.at(MORNING), None)
    html = written.page(found, found.pack.summary.figures.money)
    assert found.cases is None
    assert "T1P1 Example" not in html
    assert found.pack.review.inputs_digest in html
    assert on_record(moment) == []
