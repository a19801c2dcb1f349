"""A ledger on PostgreSQL alone, where months are parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from programme.app import App
from tests.conftest import ZONE

if TYPE_CHECKING:
    from store.engine import Database
    from tests.support.clock import Clock


@pytest.fixture
def postgresql_app(cloned_postgres_url: str, postgres_engines: Database, clock: Clock) -> App:  # noqa: ARG001 - makes it
    return App(postgres_engines, ZONE, clock)
