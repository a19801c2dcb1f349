"""The demo's year's end: a permanent policy that two adopt, groups, a statement with the factor, an appeal."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bot.demo import company, story, year
from policy.appeals import UPHELD
from policy.period import Month, first_instant
from policy.sizing import Factors
from programme.app import App
from programme.grants import monthly
from store.appeals import annual as appeals_store
from store.engine import open_database
from store.people import directory
from store.tables.grants import grants
from tests.support import books
from views import codec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.clock import Clock

DECEMBER, JANUARY, FEBRUARY = Month(2026, 12), Month(2027, 1), Month(2027, 2)
OWEN = f"{year.APPEALS}@{company.DOMAIN}"


@pytest.fixture
def demo(clock: Clock, tmp_path: Path) -> Iterator[App]:
    """The invented company in December, of which it used three weeks as it does."""
    clock.now = datetime(2026, 12, 1, 8, tzinfo=UTC)
    app = App(open_database(f"sqlite:///{tmp_path / 'demo.db'}"), ZoneInfo(company.ZONE), clock)
    teller = story.Teller(app, clock, None, tmp_path, "test")  # type: ignore[arg-type]  # no Slack
    teller._prepare()
    run(app, DECEMBER)
    for day in (date(2026, 12, number) for number in range(1, 22)):
        teller._use(day, first_instant(day + timedelta(days=1), app.zone))
    yield app
    app.database.close()


def look(app: App, *days: datetime) -> None:
    """The looks of some days, as the story has them."""
    for day in days:
        for hour in range(0, 24, story.HOURS_BETWEEN_LOOKS):
            year.happen(app, day + timedelta(hours=hour - 1))


def run(app: App, month: Month) -> None:
    with app.transaction(datetime(month.year, month.month, 1, 9, tzinfo=UTC)) as moment:
        assert monthly.run(moment, month) is not None


@pytest.mark.deep
def test_a_year_ends_as_it_should(demo: App) -> None:
    """January adopts the policy and imports groups; February's grant has the factor; the appeal undoes it."""
    run(demo, JANUARY)
    look(demo, *(datetime(2027, 1, day, tzinfo=UTC) for day in range(1, 32)))
    with demo.reading(datetime(2027, 1, 31, tzinfo=UTC)) as moment:
        assert [one.name for one in moment.handbooks.versions[-1].sizing.annual] == ["above", "as expected", "below"]
    run(demo, FEBRUARY)
    with demo.reading() as moment:
        owen = directory.by_email(moment.session, OWEN)
        assert owen is not None
    query = sa.select(grants.c.factors).where(grants.c.person_id == owen.id, grants.c.month == str(FEBRUARY))
    [(kept,)] = books.rows(demo, query)
    annual = codec.read(Factors, kept).annual
    assert annual is not None
    assert (annual.year, annual.group) == (2026, "below")
    look(demo, *(datetime(2027, 2, day, tzinfo=UTC) for day in range(1, 20)))
    with demo.reading() as moment:
        appeal = appeals_store.get(moment.session, 2026, owen.id)
    assert appeal is not None
    assert (appeal.state, appeal.decision_reason) == (UPHELD, year.WHY_UPHELD)
    assert appeal.entry_id is not None
    assert books.findings(demo) == {}
