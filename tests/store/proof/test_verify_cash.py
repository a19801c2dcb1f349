"""`verify` counts the board's votes on the month's cash again, and holds them against the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from policy.cash import RAISE
from tests.support import books, cash
from tests.support.requests import IRIS, TESS

if TYPE_CHECKING:
    from programme.app import App

TAMPERINGS = {
    "what was decided": "UPDATE cash_questions SET state = 'running', raised_to = NULL",
    "how far it was raised": "UPDATE cash_questions SET raised_to = raised_to + 1",
    "who decided": "UPDATE cash_questions SET decided_by = 'policy'",
    "when": "UPDATE cash_questions SET decided_at = '2026-11-19 12:00:00.000000'",
    "how many it takes": "UPDATE cash_questions SET needed = 3",
    "a vote": "UPDATE cash_votes SET limit_nano_usd = limit_nano_usd + 1 WHERE limit_nano_usd = 45000000000",
    "a vote is gone": "DELETE FROM cash_votes WHERE limit_nano_usd = 45000000000",
    "who was asked": "UPDATE cash_seats SET kind = 'alternate' WHERE kind = 'member'",
    "what was asked about": "UPDATE cash_questions SET limit_nano_usd = limit_nano_usd - 1",
    "a question is gone": "DELETE FROM cash_votes; DELETE FROM cash_seats; DELETE FROM cash_questions",
}


@pytest.fixture(scope="module")
def kept(shared_app: App) -> App:
    """A question that two members decided: USD 45 and USD 30 make USD 30."""
    office = cash.company(shared_app)
    cash.spend(office, "15", "all")
    cash.look(office)
    cash.vote(office, IRIS, RAISE, "45")
    cash.vote(office, TESS, RAISE, "30")
    return office


def test_what_nobody_touched_is_proved(kept: App) -> None:
    """The decision follows from its votes, and they are those of the audit log."""
    assert books.findings(kept) == {}


@pytest.mark.parametrize("statements", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_whatever_someone_touched_is_found(kept: App, statements: str) -> None:
    """Whatever of it is changed behind our back does not follow any more."""
    with books.rolled_back(kept) as moment:
        for statement in statements.split("; "):
            moment.session.exec_driver_sql(statement)
        assert books.found_by(moment, "cash_as_voted")
