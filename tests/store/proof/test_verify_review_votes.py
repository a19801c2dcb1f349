"""`verify` proves what the board decided about a review, and finds whatever someone changed about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from programme.reviews import calendar, voting
from tests.support import books, cast, reviewed, voted
from tests.support.clock import Clock
from tests.support.requests import IRIS, OMAR, TESS
from tests.support.reviewed import BUSY, IDLE, MORNING, Q4, STOPPED
from views.reviews import ADOPTED

if TYPE_CHECKING:
    from programme.app import App

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
def adopted(shared_app: App) -> App:
    """A company whose board held one case, amended another, put a third back, and adopted the rest against one vote."""
    assert isinstance(shared_app.clock, Clock)
    reviewed.settle(shared_app, shared_app.clock)
    with shared_app.transaction(MORNING) as moment:
        reviewed.draft(moment)
        calendar.advance(moment, Q4)
        voted.vote(moment, IRIS)
    noon = datetime(2027, 1, 5, 12, tzinfo=UTC)
    with shared_app.transaction(noon) as moment:
        voted.hold(moment, TESS, BUSY)
        voted.amend(moment, IRIS, IDLE, "-2.5")
        voted.hold(moment, OMAR, STOPPED)
        voted.put_back(moment, TESS, STOPPED)
        voted.vote(moment, TESS, adopts=False, now=noon)
        voted.vote(moment, IRIS, now=noon)
        assert voted.vote(moment, OMAR, now=noon).review.state == ADOPTED
    return shared_app


def of_people(statement: str, app: App) -> str:
    """A statement with the ids of those whom it names."""
    for name, email in PEOPLE.items():
        statement = statement.replace(name, f"'{cast.person_id(app, email)}'")
    return statement


def test_what_the_board_decided_is_proved(adopted: App) -> None:
    """Votes, holds, amendments and the adoption follow from one another, and from the audit log."""
    assert books.findings(adopted) == {}


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS)
def test_tampering_is_found(adopted: App, statement: str) -> None:
    """One statement behind the programme's back, and the check of votes says so."""
    with books.rolled_back(adopted) as moment:
        assert moment.session.exec_driver_sql(of_people(statement, adopted)).rowcount > 0
        assert books.found_by(moment, "reviews_as_voted")


def test_an_adoption_without_votes_is_found(shared_app: App) -> None:
    """Anyone who removes the panel with its votes has no adoption left that could be counted."""
    with books.rolled_back(shared_app) as moment:
        for table in ("review_votes", "review_seats", "review_panels"):
            moment.session.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - our own names
        found = books.found_by(moment, "reviews_as_voted")
    assert "review 2026-Q4: adopted, but no one was asked" in found


def test_a_lapse_is_nobodys(app: App, clock: Clock) -> None:
    """What lapsed is proved as well; that someone let it lapse is found."""
    reviewed.settle(app, clock)
    with app.transaction(MORNING) as moment:
        reviewed.draft(moment)
        calendar.advance(moment, Q4)
        kept = voting.locked(moment, Q4)
        voting.lapse(moment, kept)
    assert books.findings(app) == {}
    with books.rolled_back(app) as moment:
        moment.session.exec_driver_sql(of_people("UPDATE reviews SET decided_by = IRIS_ID", app))
        found = books.found_by(moment, "reviews_as_voted")
    assert any("no person lets a review lapse" in sentence for sentence in found)
