"""What the tests of bills share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import bills as trial

if TYPE_CHECKING:
    from programme.app import App


@pytest.fixture
def ruled(app: App) -> App:
    """A ledger with the cast, whose handbook says which rows of bills are whose."""
    trial.rule(app)
    return app
