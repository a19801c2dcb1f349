"""`verify` proves every review from its frozen inputs, and finds whatever someone changed about either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from store.reviews import drafts
from store.tables.reviews import review_cases, review_inputs
from store.tables.reviews import reviews as table
from tests.support import books, reviewed
from tests.support.clock import Clock
from tests.support.reviewed import Q4

if TYPE_CHECKING:
    from programme.app import App

pytestmark = pytest.mark.every_database

WHO = "person_id = (SELECT id FROM people WHERE email = 't1p1@example.com')"
"""Of someone who is cut."""
TAMPERINGS = {
    "a change": "UPDATE review_cases SET delta_thousandths = 0 WHERE WHO",
    "a grant": "UPDATE review_cases SET grant_after = grant_after + 1 WHERE WHO",
    "a factor": "UPDATE review_cases SET factor_after = '1.0000' WHERE WHO",
    "a state": "UPDATE review_cases SET state_after = 'usual' WHERE WHO",
    "a score": "UPDATE review_cases SET theta = '0.100000' WHERE WHO",
    "a reason": "UPDATE review_cases SET reasons = would_change WHERE WHO",
    "a case is gone": "DELETE FROM review_cases WHERE WHO",
    "what was used": 'UPDATE review_inputs SET utilisation = \'["0.9000", "0.9000"]\' WHERE WHO',
    "what was spent": "UPDATE review_inputs SET debits = output WHERE WHO",
    "the team": "UPDATE review_inputs SET team = '' WHERE WHO",
    "whose inputs": "DELETE FROM review_inputs WHERE WHO",
    "the digest": "UPDATE reviews SET inputs_digest = 'other'",
    "the month": "UPDATE reviews SET month = '2027-03'",
    "the value": "UPDATE token_values SET buffer_permille = 1 WHERE version = '2027-Q1.1'",
    "an amended factor": (
        "UPDATE review_cases SET decision = 'amended', amended_thousandths = 10, amended_factor = '1.5', "
        "decided_by = 'x' WHERE WHO"
    ),
}


@pytest.fixture(scope="module")
def drafted(shared_app: App) -> App:
    """A company whose review is drafted."""
    assert isinstance(shared_app.clock, Clock)
    reviewed.settle(shared_app, shared_app.clock)
    with shared_app.transaction() as moment:
        reviewed.draft(moment)
    return shared_app


def test_what_nobody_touched_is_proved(drafted: App) -> None:
    """The proposal follows from its inputs, and everything else from what is on record."""
    assert books.findings(drafted) == {}


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS)
def test_tampering_is_found(drafted: App, statement: str) -> None:
    """One statement behind the programme's back, and the check of reviews says so."""
    with books.rolled_back(drafted) as moment:
        assert moment.session.exec_driver_sql(statement.replace("WHO", WHO)).rowcount > 0
        assert books.found_by(moment, "reviews_as_frozen")


def test_inputs_and_digest_changed_together_are_found(drafted: App) -> None:
    """Anyone who changes inputs, cases and digest so that all of it fits still has the audit log against them."""
    with books.rolled_back(drafted) as moment:
        moment.session.execute(sa.update(review_inputs).values(fte_permille=999))
        kept = drafts.get(moment.session, Q4)
        assert kept is not None
        digest = drafts.digest(kept.basis, drafts.inputs(moment.session, Q4))
        moment.session.execute(sa.update(table).values(inputs_digest=digest))
        found = books.found_by(moment, "reviews_as_frozen")
    assert any("audit log" in sentence for sentence in found)


def test_a_word_of_a_reason_is_found(drafted: App) -> None:
    """What people read of their case is held as well as its figures."""
    with books.rolled_back(drafted) as moment:
        kept = drafts.cases(moment.session, Q4)[0].case
        reasons = [{"code": one.code, "text": f"{one.text}!", "figures": dict(one.figures)} for one in kept.reasons]
        c = review_cases.c
        moment.session.execute(sa.update(review_cases).where(c.person_id == kept.person_id).values(reasons=reasons))
        [found] = books.found_by(moment, "reviews_as_frozen")
    assert "other cases" in found
