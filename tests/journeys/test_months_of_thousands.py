"""Months of a large company, as in `test_three_years`: as many as fit into some minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import walk
from tests.support.walked import Way, go, went

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock


@pytest.mark.deep
def test_months_of_thousands(sqlite_app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five thousand people, some of whom are read: nobody loses, waits or is cut without a word."""
    walk.without_pictures(monkeypatch)
    went(go(sqlite_app, clock, Way(5_000, 130, 5, walk.FEW_HOURS)))
