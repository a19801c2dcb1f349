"""A ledger that all tests of a module share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from programme.app import App
from store.engine import open_database
from tests.conftest import ZONE
from tests.support.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def app_on_postgres(cloned_postgres_url: str) -> Iterator[App]:
    """A app on PostgreSQL alone, for what only happens there."""
    app = App(open_database(cloned_postgres_url), ZONE, Clock())
    yield app
    app.database.close()
