"""Behind PgBouncer in transaction mode everything holds that holds without it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from programme.app import App
from store.engine import DatabaseUrlError, open_database
from store.tables.grants import grants
from tests.conftest import ZONE
from tests.programme.exceptions import test_asking_races as votes
from tests.store import test_races as races
from tests.support import books, pooler, rollout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.clock import Clock

CROWDS = (
    races.test_a_batch_that_arrives_twenty_times_at_once_is_posted_once,
    races.test_twenty_different_batches_of_one_wallet_all_count,
    races.test_crossing_batches_of_two_wallets_and_two_days_all_count,
    races.test_corrections_that_cross_leave_what_the_highest_say,
    votes.test_fifty_presses_at_once_decide_once,
)


@pytest.fixture
def pooled_url(cloned_postgres_url: str) -> Iterator[str]:
    with pooler.before(cloned_postgres_url) as url:
        yield url


@pytest.fixture
def pooled(pooled_url: str, clock: Clock) -> Iterator[App]:
    app = App(open_database(pooled_url), ZONE, clock)
    yield app
    app.database.close()


@pytest.mark.deep
@pytest.mark.parametrize("crowd", CROWDS, ids=lambda one: one.__name__.removeprefix("test_"))
def test_a_crowd_shares_four_connections(crowd: Callable[..., None], pooled_url: str, pooled: App) -> None:
    """Twenty at once, of whom four have a connection at a time, leave what they leave without a pooler."""
    crowd(database_url=pooled_url, app=pooled)


def test_a_year_of_months_behind_a_pooler(pooled: App, clock: Clock) -> None:
    """The calendar grants and closes each month, and every figure is proved."""
    rollout.launch(pooled)
    for month in range(1, 13):
        clock.now = datetime(2026, month, 1, 9, tzinfo=UTC)
        rollout.run_calendar(pooled, clock.now)
    months = books.rows(pooled, sa.select(grants.c.month).distinct().order_by(grants.c.month))
    assert [month for (month,) in months] == [f"2026-{month:02}" for month in range(1, 13)]
    assert books.findings(pooled) == {}


def test_a_pooler_that_is_unknown_is_refused() -> None:
    """A pooler that would keep nothing of a session is named by its mode, so that we leave nothing in one."""
    with pytest.raises(DatabaseUrlError, match="pooler=session"):
        open_database("postgresql://localhost/tokens?pooler=session")
