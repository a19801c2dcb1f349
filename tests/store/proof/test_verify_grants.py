"""`verify` proves grants, values and the buffer's book, and finds every figure of them that someone changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from policy.period import Month, Quarter
from programme.grants import monthly
from programme.value import valuation
from tests.support import books, rollout

if TYPE_CHECKING:
    from programme.app import App

pytestmark = pytest.mark.every_database

FIRST = "(SELECT min(entry_id) FROM grants)"
TAMPERINGS = {
    "the amount of a grant": ("UPDATE grants SET amount = amount + 1 WHERE entry_id = FIRST", "grants_as_sized"),
    "whose grant it is": (
        (
            "UPDATE grants SET month = '2027-05', person_id = (SELECT id FROM people WHERE email = 'omar@example.com') "
            "WHERE entry_id = FIRST"
        ),
        "grants_as_sized",
    ),
    "a grant is gone": ("DELETE FROM grants WHERE entry_id = FIRST", "buffers_book"),
    "what was held back": (
        "UPDATE usd_entries SET amount_nano_usd = amount_nano_usd + 1 WHERE kind = 'held_back'",
        "buffers_book",
    ),
    "the index of a value": (
        "UPDATE token_values SET price_index = '1.1' WHERE calculation IS NOT NULL",
        "values_as_calculated",
    ),
    "the value itself": (
        "UPDATE token_values SET nano_usd_per_token = 11000000 WHERE calculation IS NOT NULL",
        "values_as_calculated",
    ),
    "its buffer": (
        "UPDATE token_values SET buffer_permille = 1 WHERE calculation IS NOT NULL",
        "values_as_calculated",
    ),
    "who adopted it": (
        "UPDATE token_values SET adopted_by = 'omar' WHERE calculation IS NOT NULL",
        "values_by_two",
    ),
    "that one person was two": (
        "UPDATE token_values SET confirmed_by = 'iris' WHERE calculation IS NOT NULL",
        "values_by_two",
    ),
    "who was the first": (
        "UPDATE token_values SET confirmed_by = 'iris', adopted_by = 'omar' WHERE calculation IS NOT NULL",
        "values_by_two",
    ),
}


@pytest.fixture(scope="module")
def kept(shared_app: App) -> App:
    """Two months of grants, with a value that was worked out and adopted between them."""
    rollout.launch(shared_app)
    for month in (Month(2026, 12), Month(2027, 1)):
        now = datetime(month.year, month.month, 1, 9, tzinfo=UTC)
        with shared_app.transaction(now) as moment:
            valuation.propose(moment, Quarter(2027, 1), actor="iris")
            valuation.adopt(moment, Quarter(2027, 1), actor="iris")
            monthly.run(moment, month)
    return shared_app


def test_what_nobody_touched_is_proved(kept: App) -> None:
    """Grants, values and the buffer's book follow from what is on record."""
    assert books.findings(kept) == {}


@pytest.mark.parametrize(("statement", "check"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_tampering_is_found(kept: App, statement: str, check: str) -> None:
    """One statement behind the ledger's back, and the check whose figure it is says so."""
    with books.rolled_back(kept) as moment:
        assert moment.session.exec_driver_sql(statement.replace("FIRST", FIRST)).rowcount > 0
        assert books.found_by(moment, check)
