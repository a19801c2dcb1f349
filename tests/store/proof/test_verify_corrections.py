"""`verify` proves chains of versions and what was undone of each, and finds what someone touched in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from policy.versions import Version
from programme.usage import corrections
from tests.support import books, cast
from tests.support.books import ADA
from tests.support.clock import NOON

if TYPE_CHECKING:
    from programme.app import App

pytestmark = pytest.mark.every_database


@pytest.fixture(scope="module")
def kept(shared_app: App) -> App:
    """Events that were corrected, withdrawn, corrected before they came, and are waiting."""
    app = shared_app
    cast.give(app, ADA, "10")
    books.take_in(app, *(cast.event(name, at=NOON) for name in ("right", "wrong", "gone")))
    books.take_in(app, cast.event("held", at=NOON, who="stranger@example.com"))
    contents = {name: cast.event(name, at=NOON, meters={"output": 1_000}) for name in ("wrong", "early")}
    with app.transaction() as moment:
        versions = [Version("gateway", name, 1, event, "wrong key") for name, event in contents.items()]
        versions += [Version("gateway", name, 1, None, "a test") for name in ("gone", "held")]
        corrections.take_in(moment, versions, actor="test")
    books.take_in(app, cast.event("early", at=NOON))
    return app


def test_what_was_corrected_is_proved(kept: App) -> None:
    """Every version and every reversal follows from what was reported."""
    assert books.findings(kept) == {}


TAMPERINGS = {
    "a reversal corrects nothing": (
        "UPDATE entries SET corrects_entry_id = NULL WHERE kind = 'reversal'",
        "entries_that_correct",
    ),
    "a reversal corrects a grant": (
        "UPDATE entries SET corrects_entry_id = 1 WHERE kind = 'reversal'",
        "entries_that_correct",
    ),
    "a grant corrects usage": (
        "UPDATE entries SET corrects_entry_id = 2 WHERE kind = 'grant'",
        "entries_that_correct",
    ),
    "what was undone of an event": (
        "UPDATE usage_reversals SET debit_micro_tokens = debit_micro_tokens + 1 WHERE event_id = 'gone'",
        "reversals_as_noted",
    ),
    "a note of what was undone is gone": (
        "DELETE FROM usage_reversals WHERE event_id = 'gone'",
        "reversals_as_noted",
    ),
    "what was undone cost something else": (
        "UPDATE usage_reversals SET cost_nano_usd = 1 WHERE event_id = 'wrong'",
        "reversed_amounts",
    ),
    "what was undone was used otherwise": (
        """UPDATE usage_reversals SET meters = '{"output": 360}' WHERE event_id = 'wrong'""",
        "reversed_amounts",
    ),
    "a version is gone": (
        "DELETE FROM usage_versions WHERE event_id = 'wrong' AND revision = 1",
        "versions_as_they_hold",
    ),
    "another version holds": (
        "UPDATE usage_events SET revision = 7 WHERE event_id = 'right'",
        "versions_as_they_hold",
    ),
    "an event does not say what its version says": (
        "UPDATE usage_events SET tier = 'priority' WHERE event_id = 'wrong'",
        "versions_as_they_hold",
    ),
    "what was withdrawn is debited": (
        "UPDATE usage_events SET cost_nano_usd = 0, debit_micro_tokens = 0 WHERE event_id = 'gone'",
        "versions_as_they_hold",
    ),
    "what was withdrawn waits": (
        "UPDATE quarantine SET released_at = NULL WHERE event_id = 'held'",
        "quarantined_events",
    ),
    "more came back to a lot": (
        "UPDATE lot_movements SET amount = -90000000 WHERE amount < 0",
        "returned_to_lots",
    ),
    "usage gave back to a lot": (
        "UPDATE lot_movements SET amount = -amount WHERE entry_id = (SELECT max(entry_id) FROM lot_movements)",
        "returned_to_lots",
    ),
}


@pytest.mark.parametrize(("statement", "check"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_tampering_with_corrections_is_found(kept: App, statement: str, check: str) -> None:
    """One statement behind the ledger's back, and the check whose figure it is says so."""
    with books.rolled_back(kept) as moment:
        assert moment.session.exec_driver_sql(statement).rowcount > 0
        assert books.found_by(moment, check)
