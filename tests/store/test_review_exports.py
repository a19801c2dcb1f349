"""What the compensation review is told of debts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from policy.period import Month
from programme.grants import monthly
from programme.usage import intake
from store.reviews import exports
from tests.support import cast, rollout

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

ADA = "ada@example.com"


def test_only_a_monthly_grant_counts_as_a_month_in_debt(sqlite_app: App, clock: Clock) -> None:
    """Tokens that an administrator gives to someone in debt settle it, and are no month; the month's grant is one."""
    rollout.launch(sqlite_app)
    spend(sqlite_app, clock.now)
    cast.give(sqlite_app, ADA, "0.1")
    begin, end = clock.now - timedelta(days=1), datetime(2026, 12, 2, tzinfo=UTC)
    with sqlite_app.reading() as moment:
        assert exports.months_in_debt(moment.session, begin, end) == {}
    clock.now = datetime(2026, 12, 1, 6, tzinfo=UTC)
    with sqlite_app.transaction() as moment:
        monthly.run(moment, Month(2026, 12))
    with sqlite_app.reading() as moment:
        assert exports.months_in_debt(moment.session, begin, end) == {cast.person_id(sqlite_app, ADA): 1}


def spend(app: App, at: datetime) -> None:
    with app.transaction() as moment:
        [outcome] = intake.take_in(moment, [cast.event("e1", at=at)])
    assert outcome.status == "accepted"
