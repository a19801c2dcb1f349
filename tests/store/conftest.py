"""A ledger that all tests of a module share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from programme.app import Desk
from store.engine import open_database
from tests.conftest import ZONE
from tests.support.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def desk_on_postgres(cloned_postgres_url: str) -> Iterator[Desk]:
    """A desk on PostgreSQL alone, for what only happens there."""
    desk = Desk(open_database(cloned_postgres_url), ZONE, Clock())
    yield desk
    desk.database.close()
