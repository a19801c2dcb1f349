"""`verify` proves what the board decided about a review, and finds whatever somebody changed about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from programme.reviews import calendar, voting
from store.reviews import drafts
from tests.support import books, cast, reviewed, voted
from tests.support.clock import Clock
from tests.support.requests import IRIS, OMAR, TESS
from tests.support.reviewed import BUSY, IDLE, MORNING, Q4, STOPPED

if TYPE_CHECKING:
    from programme.app import Desk

pytestmark = pytest.mark.every_database

PEOPLE = {"IRIS_ID": IRIS, "OMAR_ID": OMAR, "TESS_ID": TESS, "IDLE_ID": IDLE, "BUSY_ID": BUSY, "STOPPED_ID": STOPPED}
TAMPERINGS = {
    "a vote": "UPDATE review_votes SET adopts = true WHERE seat = TESS_ID",
    "whose vote": "UPDATE review_votes SET cast_by = BUSY_ID WHERE seat = TESS_ID",
    "when it was cast": "UPDATE review_votes SET cast_at = drafted_at FROM reviews WHERE seat = TESS_ID",
    "a vote is gone": "DELETE FROM review_votes WHERE seat = TESS_ID",
    "a vote of another package": "UPDATE review_votes SET package = 3 WHERE seat = TESS_ID",
    "the package": "UPDATE review_panels SET package = 2",
    "how many it takes": "UPDATE review_panels SET needed = 1",
    "at which stage": "UPDATE review_panels SET stage = 1",
    "who is of finance": "UPDATE review_seats SET is_finance = true WHERE person_id = IRIS_ID",
    "who was asked": (
        "INSERT INTO review_seats (quarter, person_id, kind, is_chair, is_finance) "
        "SELECT '2026-Q4', id, 'member', false, false FROM people WHERE id = BUSY_ID"
    ),
    "who decided it": "UPDATE reviews SET decided_by = IRIS_ID",
    "when it was decided": "UPDATE reviews SET decided_at = drafted_at",
    "from when it holds": "UPDATE reviews SET holds_from = '2027-01'",
    "that it was adopted": "UPDATE reviews SET state = 'lapsed', holds_from = NULL",
    "that it was decided": "UPDATE reviews SET state = 'draft', holds_from = NULL, decided_at = NULL",
    "a hold that nobody made": (
        "UPDATE review_cases SET decision = 'held', decided_by = IRIS_ID WHERE person_id = STOPPED_ID"
    ),
    "a hold is undone": "UPDATE review_cases SET decision = 'proposed', decided_by = NULL WHERE person_id = BUSY_ID",
    "who held it": "UPDATE review_cases SET decided_by = IRIS_ID WHERE person_id = BUSY_ID",
    "when it was held": "UPDATE review_cases SET decided_at = NULL WHERE person_id = BUSY_ID",
    "what it was amended to": (
        "UPDATE review_cases SET amended_thousandths = -10, amended_factor = '0.9900' WHERE person_id = IDLE_ID"
    ),
    "what the log tells of votes": "UPDATE audit_log SET action = 'review.other' WHERE action = 'review.vote'",
    "that a later review came first": "UPDATE audit_log SET subject = '2027-Q1' WHERE action = 'review.draft'",
    "what the log tells of an adoption": "DELETE FROM audit_log WHERE action = 'review.adopt'",
}


@pytest.fixture(scope="module")
def adopted(shared_desk: Desk) -> Desk:
    """A company whose board held one case, amended another, put a third back, and adopted the rest against one vote."""
    assert isinstance(shared_desk.clock, Clock)
    reviewed.settle(shared_desk, shared_desk.clock)
    with shared_desk.transaction() as session:
        reviewed.draft(session, shared_desk)
        calendar.advance(session, Q4, desk=shared_desk, now=MORNING)
        voted.vote(session, shared_desk, IRIS)
    noon = datetime(2027, 1, 5, 12, tzinfo=UTC)
    with shared_desk.transaction() as session:
        voted.hold(session, shared_desk, TESS, BUSY)
        voted.amend(session, shared_desk, IRIS, IDLE, "-2.5")
        voted.hold(session, shared_desk, OMAR, STOPPED)
        voted.put_back(session, shared_desk, TESS, STOPPED)
        voted.vote(session, shared_desk, TESS, adopts=False, now=noon)
        voted.vote(session, shared_desk, IRIS, now=noon)
        assert voted.vote(session, shared_desk, OMAR, now=noon).review.state == drafts.ADOPTED
    return shared_desk


def of_people(statement: str, desk: Desk) -> str:
    """A statement with the ids of those whom it names."""
    for name, email in PEOPLE.items():
        statement = statement.replace(name, f"'{cast.person_id(desk, email)}'")
    return statement


def test_what_the_board_decided_is_proved(adopted: Desk) -> None:
    """Votes, holds, amendments and the adoption follow from one another, and from the audit log."""
    assert books.findings(adopted) == {}


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS)
def test_tampering_is_found(adopted: Desk, statement: str) -> None:
    """One statement behind the programme's back, and the check of votes says so."""
    with books.rolled_back(adopted) as session:
        assert session.exec_driver_sql(of_people(statement, adopted)).rowcount > 0
        assert "reviews_as_voted" in books.findings_in(session, adopted)


def test_an_adoption_without_votes_is_found(shared_desk: Desk, adopted: Desk) -> None:
    """Who removes the panel with its votes has no adoption left that could be counted."""
    with books.rolled_back(shared_desk) as session:
        for table in ("review_votes", "review_seats", "review_panels"):
            session.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - our own names
        found = books.findings_in(session, adopted)["reviews_as_voted"]
    assert "review 2026-Q4: adopted, but no one was asked" in found


def test_a_lapse_is_nobodys(desk: Desk, clock: Clock) -> None:
    """What lapsed is proved as well; that somebody let it lapse is found."""
    reviewed.settle(desk, clock)
    with desk.transaction() as session:
        reviewed.draft(session, desk)
        calendar.advance(session, Q4, desk=desk, now=MORNING)
        kept = voting.locked(session, Q4)
        voting.lapse(session, kept, desk=desk, now=MORNING)
    assert books.findings(desk) == {}
    with books.rolled_back(desk) as session:
        session.exec_driver_sql(of_people("UPDATE reviews SET decided_by = IRIS_ID", desk))
        found = books.findings_in(session, desk)["reviews_as_voted"]
    assert any("no person lets a review lapse" in sentence for sentence in found)
