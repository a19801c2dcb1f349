"""Appeals and runs of grants at the same moment: what a cut took is given back, or was never taken."""

from __future__ import annotations

import dataclasses
import threading
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from policy.units import MICRO_PER_TOKEN, NanoUSD
from programme.grants import monthly, sizing
from programme.people import terms
from store.appeals import records as store
from store.tables.grants import grants
from tests.support import appealed, books, cast, reviewed
from tests.support.appealed import FEBRUARY, FEBRUARY_FIRST, MARCH
from tests.support.requests import BOOK, IRIS
from tests.support.reviewed import IDLE, Q4

if TYPE_CHECKING:
    from collections.abc import Callable

    from programme.app import App
    from programme.moment import Moment
    from store.engine import Database
    from tests.support.clock import Clock

pytestmark = pytest.mark.every_database

DAY_AFTER = FEBRUARY_FIRST + timedelta(days=1)
WAITING = sa.text(
    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@pytest.fixture
def office(app: App, clock: Clock) -> App:
    """A company of its own whose review is adopted, before the first month that it cuts."""
    appealed.settle(app, clock)
    clock.now = FEBRUARY_FIRST
    with app.transaction() as moment:
        appealed.adopt(moment)
    return app


def is_kept_out(app: App) -> bool:
    """Whether someone waits until the run is over: on SQLite whoever writes does."""
    if app.database.dialect == "sqlite":
        return True
    with app.database.reading() as session:
        return session.execute(WAITING).first() is not None


def month(moment: Moment) -> object:
    return monthly.run(moment.at(FEBRUARY_FIRST), FEBRUARY)


def joiners(moment: Moment) -> object:
    return monthly.run_joiners(moment.at(DAY_AFTER), DAY_AFTER.date())


@pytest.mark.parametrize("run", [month, joiners])
def test_an_appeal_while_grants_are_sized_loses_nothing(
    office: App, database_url: str, monkeypatch: pytest.MonkeyPatch, run: Callable[[Moment], object]
) -> None:
    """Filed and upheld between the sizing and the posting of a cut grant, an appeal gives back what the run cut."""
    if run is joiners:
        cast.hire(office, f"email,pay_band\n{IDLE},-\n")
        with office.transaction(FEBRUARY_FIRST) as moment:
            # So that something is left for those who come later.
            terms.set_budget(moment, FEBRUARY, NanoUSD.parse("500000"), actor="test")
            month(moment)
        cast.hire(office, f"email,pay_band\n{IDLE},P3\n")
    # Read by whoever appeals, before they wait for a run that read the clock after them.
    at = (FEBRUARY_FIRST if run is month else DAY_AFTER) - timedelta(seconds=1)
    sized, decided = threading.Event(), threading.Event()
    plan = sizing.plan

    def pausing(*args: Any, **named: Any) -> sizing.Plan:  # noqa: ANN401 - those of the function
        planned = plan(*args, **named)
        sized.set()
        while not (decided.is_set() or is_kept_out(office)):
            pass
        return planned

    def granting(database: Database) -> None:
        replica = dataclasses.replace(office, database=database)
        with replica.transaction() as moment:
            run(moment)

    def appealing(database: Database) -> None:
        replica = dataclasses.replace(office, database=database)
        assert sized.wait(books.WAIT_SECONDS)
        with replica.transaction() as moment:
            appeal = appealed.file(moment, at=at)
        with replica.transaction() as moment:
            appealed.decide(moment, IRIS, appeal, upheld=True, at=at)
        decided.set()

    monkeypatch.setattr(sizing, "plan", pausing)
    assert books.at_once(database_url, [granting, appealing]) == []
    with office.database.reading() as session:
        appeal = store.get(session, Q4, cast.person_id(office, IDLE))
        assert appeal is not None
        g = grants.c
        query = sa.select(g.factors, g.amount).where(g.person_id == appeal.person_id, g.month == str(FEBRUARY))
        factors, got = session.execute(query).one()
        back = 0 if appeal.entry_id is None else int(store.credited(session, appeal.entry_id))
    assert Decimal(factors["adjustment"]) == Decimal("0.9")
    step = BOOK.sizing.round_to_tokens * MICRO_PER_TOKEN
    assert abs(back - got // 9) <= 2 * step
    assert back > 0
    assert books.findings(office) == {}


def test_a_month_that_was_granted_meanwhile_is_not_cut_afterwards(office: App) -> None:
    """A rejection by a clock behind that of the run it waited for cuts the month after the one granted."""
    january = FEBRUARY_FIRST.replace(month=1, day=31, hour=22, minute=59)
    with office.transaction(FEBRUARY_FIRST) as moment:
        appeal = appealed.file(moment, at=january)
        reviewed.granted_with(moment, FEBRUARY)
    with office.transaction() as moment:
        moved = appealed.decide(moment, IRIS, appeal, upheld=False, at=january)
    assert (moved.decided_at, moved.cut_from) == (FEBRUARY_FIRST, MARCH)
    assert books.findings(office) == {}
