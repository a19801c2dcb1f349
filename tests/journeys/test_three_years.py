"""Years of companies in which people use a twentieth to a seventh of their ceilings, and every message they are sent.

People come, go and rest; budgets bind; use arrives late; the board decides most of what it is asked, and lets some
lapse; the courier is down for days, and sometimes the calendar is, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import depth, walk
from tests.support.walked import Way, go, went

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

EVERY_KIND = {
    "appeals/card",
    "appeals/mine",
    "appeals/note",
    "audit/anchor",
    "exceptions/card",
    "exceptions/face",
    "exceptions/mine",
    "exceptions/more_time",
    "exceptions/note",
    "exceptions/outcome",
    "grants/digest",
    "grants/lapse_notice",
    "grants/statement",
    "handbook/card",
    "handbook/note",
    "reports/weekly",
    "reviews/milestone",
    "reviews/notice",
    "reviews/outcome",
    "reviews/pack",
    "warnings/warning",
}
FORTY_DAYS, A_HUNDRED_DAYS = (Way(12, days, 3, walk.FEW_HOURS) for days in (40, 100))
THREE_YEARS = Way(12, 1_096, 1)


def test_the_first_days_of_a_start_up(sqlite_app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve people: every sentence is so when it is read, and nobody loses, waits or is cut without a word."""
    walk.without_pictures(monkeypatch)
    went(go(sqlite_app, clock, depth.either(quick=FORTY_DAYS, deep=A_HUNDRED_DAYS)))


@pytest.mark.deep
def test_three_years(app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for three years, on both databases; every kind of message is among those that are read."""
    walk.without_pictures(monkeypatch)
    company = go(app, clock, THREE_YEARS)
    went(company)
    assert set(company.walk.box.messages) >= EVERY_KIND
