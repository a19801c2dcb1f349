"""`verify` proves exceptions, votes and decisions, and finds every one of them that someone changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import books
from tests.support import requests as asking
from tests.support.books import BEN
from tests.support.requests import OMAR, TESS, convene

if TYPE_CHECKING:
    from programme.app import App

pytestmark = pytest.mark.every_database

APPROVED = "(SELECT id FROM requests WHERE state = 'approved')"
REJECTED = "(SELECT id FROM requests WHERE state = 'rejected')"
TAMPERINGS = {
    "how much was granted": ("UPDATE requests SET granted = granted - 1 WHERE id = APPROVED", "exceptions_as_decided"),
    "whose request it was": (
        "UPDATE requests SET person_id = (SELECT id FROM people WHERE email = 'ada@example.com') WHERE id = APPROVED",
        "exceptions_as_decided",
    ),
    "which entry credited it": (
        "UPDATE requests SET entry_id = (SELECT min(id) FROM entries) WHERE id = APPROVED",
        "exceptions_as_decided",
    ),
    "which way somebody voted": (
        "UPDATE request_votes SET approves = NOT approves, reason = 'x' WHERE request_id = APPROVED",
        "votes_as_audited",
    ),
    "who voted": (
        "UPDATE request_votes SET cast_by = (SELECT person_id FROM requests LIMIT 1) WHERE request_id = REJECTED",
        "votes_as_audited",
    ),
    "a vote is gone": ("DELETE FROM request_votes WHERE request_id = REJECTED", "votes_as_audited"),
    "how many were needed": ("UPDATE requests SET needed = 9 WHERE id = APPROVED", "decisions_as_counted"),
    "who was recused": (
        "UPDATE request_seats SET recused = 'manager' WHERE request_id = APPROVED",
        "decisions_as_counted",
    ),
    "what was spent": (
        "UPDATE requests SET spent = spent - 1 WHERE state = 'not_ratified'",
        "unratified_as_spent",
    ),
    "what was taken off a grant": (
        "UPDATE requests SET netted = 1 WHERE state = 'not_ratified'",
        "unratified_as_spent",
    ),
    "what was decided": (
        "UPDATE requests SET state = 'approved', entry_id = 1 WHERE id = REJECTED",
        "decisions_as_counted",
    ),
}


@pytest.fixture(scope="module")
def decided(shared_app: App) -> App:
    """One request approved, one rejected, one open, and a break-glass that was not ratified."""
    office = convene(shared_app)
    asking.vote(office, TESS, asking.ask(office, BEN, "5000"))
    asking.vote(office, OMAR, asking.ask(office, BEN, "50"), approves=False)
    asking.ask(office, BEN, "60")
    asking.vote(office, OMAR, asking.ask(office, BEN, "70", incident="INC-7"), approves=False)
    return office


def test_what_nobody_touched_is_proved(decided: App) -> None:
    """Entries follow from requests, votes from the audit log, and decisions from votes."""
    assert books.findings(decided) == {}


@pytest.mark.parametrize(("statement", "check"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_tampering_is_found(decided: App, statement: str, check: str) -> None:
    """One statement behind the ledger's back, and the check whose fact it is says so."""
    with books.rolled_back(decided) as moment:
        text = statement.replace("APPROVED", APPROVED).replace("REJECTED", REJECTED)
        assert moment.session.exec_driver_sql(text).rowcount > 0
        assert books.found_by(moment, check)
