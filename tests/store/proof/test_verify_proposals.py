"""`verify` proves that two people changed the handbook, and finds every change that someone made alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from programme.handbook import applying
from tests.support import books, cast, proposed
from tests.support.books import handbook_text
from tests.support.proposed import ADMINS, DECEMBER, confirm, decline, propose, text, withdraw
from tests.support.requests import TESS, convene

if TYPE_CHECKING:
    from programme.app import App

pytestmark = pytest.mark.every_database

TAMPERINGS = {
    "the text that holds": (
        "UPDATE handbooks SET body = body || '# more' WHERE version = '2026.9'",
        "handbooks_by_two",
    ),
    "who applied it": ("UPDATE handbooks SET applied_by = 'system' WHERE version = '2026.9'", "handbooks_by_two"),
    "who proposed it": (
        "UPDATE handbook_proposals SET proposed_by = (SELECT id FROM people WHERE email = 'ada@example.com')",
        "proposals_as_audited",
    ),
    "the proposal is gone": ("DELETE FROM handbook_proposals WHERE version = '2026.9'", "handbooks_by_two"),
    "a version that nobody applied": (
        "INSERT INTO handbooks SELECT 'new', effective_from, body, applied_at, applied_by FROM handbooks LIMIT 1",
        "handbooks_by_two",
    ),
    "what was declined is confirmed": (
        "UPDATE handbook_proposals SET state = 'confirmed', reason = NULL WHERE version = '2026.10'",
        "proposals_as_audited",
    ),
    "a confirmed version is gone": ("DELETE FROM handbooks WHERE version = '2026.9'", "handbooks_by_two"),
    "who declined it": (
        "UPDATE handbook_proposals SET decided_by = 'per_x' WHERE version = '2026.10'",
        "proposals_as_audited",
    ),
    "what waits is lapsed": (
        "UPDATE handbook_proposals SET state='lapsed', decided_by='x', decided_at=proposed_at WHERE state='open'",
        "proposals_as_audited",
    ),
}


@pytest.fixture(scope="module")
def decided(shared_app: App) -> App:
    """One proposal confirmed, one declined, one withdrawn, one open."""
    office = convene(shared_app)
    cast.hire(office, ADMINS)
    confirm(office, TESS, propose(office, text()))
    decline(office, TESS, propose(office, text("2026.10")))
    withdraw(office, proposed.ADMIN, propose(office, text("2026.11")))
    propose(office, text("2026.12"))
    return office


def test_what_nobody_touched_is_proved(decided: App) -> None:
    """The system's versions, and those of two people, whatever became of the others."""
    assert books.findings(decided) == {}


@pytest.mark.parametrize(("statement", "check"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_tampering_is_found(decided: App, statement: str, check: str) -> None:
    """One statement behind the programme's back, and the check whose fact it is says so."""
    with books.rolled_back(decided) as moment:
        assert moment.session.exec_driver_sql(statement).rowcount > 0
        assert books.found_by(moment, check)


def test_what_one_person_applied_alone_is_found(decided: App) -> None:
    """Unless the log says why one was enough, or it was applied before proposals were kept."""
    with books.rolled_back(decided) as moment:
        body = handbook_text("2027.1", DECEMBER)
        applying.apply(moment, body, actor="cli:ben")
        assert books.findings_in(moment) == {
            "handbooks_by_two": ["handbook 2027.1: cli:ben applied it, but no one else confirmed it"]
        }
        moment.session.exec_driver_sql("UPDATE programme SET value = '1000' WHERE key = 'two_hands_after'")
        assert books.findings_in(moment) == {}
    with books.rolled_back(decided) as moment:
        applying.apply(moment, body, actor="cli:ben", alone="no_board")
        assert books.findings_in(moment) == {}
