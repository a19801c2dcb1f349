"""`verify` proves what was taken in of bills, and finds every figure of one that somebody touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import bills as trial
from tests.support import books
from tests.support.bills import AZURE, GPU, Row, user
from tests.support.books import ADA

if TYPE_CHECKING:
    from programme.app import App

pytestmark = pytest.mark.every_database

SHORT = {
    "A_LINE": "key = (SELECT min(key) FROM bill_lines WHERE bears = 'person')",
    "ITS_ENTRY": "(SELECT min(entry_id) FROM bill_postings WHERE share_id = A_SHARE)",
    "A_SHARE": "(SELECT min(id) FROM bill_shares WHERE bears = 'evenly')",
}
"""What the statements below say for a sub-query."""

TAMPERINGS = {
    "the total of a bill": ("UPDATE bills SET nano_usd = nano_usd + 1", "bills_as_told"),
    "the rows of a bill": ("UPDATE bills SET rows = rows + 1", "bills_as_told"),
    "the cost of a line": ("UPDATE bill_lines SET nano_usd = nano_usd + 1 WHERE A_LINE", "bills_as_told"),
    "what is owed of a line": (
        "UPDATE bill_lines SET owed_nano_usd = 1, posted_nano_usd = 1 WHERE A_LINE",
        "bills_as_told",
    ),
    "whose a line is": ("UPDATE bill_lines SET bears = 'outside' WHERE A_LINE", "bills_as_told"),
    "a line was not posted": ("UPDATE bill_lines SET posted_nano_usd = 0 WHERE A_LINE", "bills_as_used"),
    "what was posted of a line": (
        "UPDATE bill_lines SET posted_nano_usd = posted_nano_usd + 1 WHERE A_LINE",
        "bills_as_used",
    ),
    "what an event of a bill counts": (
        """UPDATE usage_events SET meters = '{"billed": 7}' WHERE source LIKE 'bill:%%'""",
        "bills_as_used",
    ),
    "an event of a bill is gone": ("DELETE FROM usage_events WHERE source LIKE 'bill:%%'", "bills_as_used"),
    "what an account bears": ("UPDATE bill_shares SET nano_usd = nano_usd + 1 WHERE id = A_SHARE", "bills_as_shared"),
    "the tokens of a share": (
        "UPDATE bill_shares SET micro_tokens = micro_tokens + 1 WHERE id = A_SHARE",
        "shares_as_posted",
    ),
    "a posting of a share is gone": ("DELETE FROM bill_postings WHERE share_id = A_SHARE", "shares_as_posted"),
    "the entry of a posting": (
        "UPDATE bill_postings SET entry_id = (SELECT min(id) FROM entries) WHERE share_id = A_SHARE",
        "shares_as_entered",
    ),
    "the entry of a posting is forgotten": (
        "UPDATE bill_postings SET entry_id = NULL WHERE share_id = A_SHARE",
        "shares_as_entered",
    ),
    "the kind of an entry": ("UPDATE entries SET kind = 'usage' WHERE id = ITS_ENTRY", "shares_as_entered"),
}


@pytest.fixture(scope="module")
def billed(shared_app: App) -> App:
    """A bill with usage and shares, issued twice."""
    trial.rule(shared_app)
    first = [Row("10.00", tags=user(ADA)), Row("33.333333333333333333", AZURE), Row("5.00", GPU)]
    trial.imported(shared_app, *first)
    trial.imported(shared_app, Row("11.00", tags=user(ADA)), Row("30.00", AZURE), Row("-5.00", GPU))
    return shared_app


def test_what_nobody_touched_is_proved(billed: App) -> None:
    """A bill that was corrected follows from its lines."""
    assert books.findings(billed) == {}


@pytest.mark.parametrize(("statement", "check"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_tampering_is_found(billed: App, statement: str, check: str) -> None:
    """One statement behind the ledger's back, and the check whose figure it is says so."""
    for name, meaning in SHORT.items():
        statement = statement.replace(name, meaning)
    with books.rolled_back(billed) as moment:
        if statement.startswith("DELETE FROM usage_events"):
            moment.session.exec_driver_sql("DELETE FROM usage_reversals")
            moment.session.exec_driver_sql("DELETE FROM usage_versions")
        assert moment.session.exec_driver_sql(statement).rowcount > 0
        assert books.found_by(moment, check)
