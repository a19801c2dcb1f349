"""Three years of forty people with one principal, as in `test_three_years`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import walk
from tests.support.walked import Way, go, went

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock


@pytest.mark.deep
def test_three_years_of_forty(app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sentence is so when it is read, and nobody loses, waits or is cut without a word, on both databases."""
    walk.without_pictures(monkeypatch)
    went(go(app, clock, Way(40, 1_096, 2, walk.FEW_HOURS)))
