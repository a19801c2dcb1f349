"""Months of events on PostgreSQL: there when they are needed, whoever needs them first."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.versions import Version
from programme.usage import corrections, intake, months_ahead
from scheduler import due
from store.tables.usage import usage_events
from store.usage import months
from tests.support import books, cast, rollout
from tests.support.books import ADA
from tests.support.clock import NOON

if TYPE_CHECKING:
    from programme.app import App
    from programme.usage.intake import Status
    from store.engine import Database

pytestmark = [pytest.mark.postgresql, pytest.mark.every_database]
PARTS = """SELECT CAST(substr(c.relname, 14) AS INTEGER) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'usage_events'::regclass ORDER BY 1"""
CROWD = 8


def parts(app: App) -> list[int]:
    with app.database.reading() as session:
        return list(session.exec_driver_sql(PARTS).scalars())


def rows_of(app: App, month: int) -> int:
    with app.database.reading() as session:
        counted = sa.select(sa.func.count()).select_from(sa.table(f"usage_events_{month}"))
        return session.execute(counted).scalar_one()


def test_a_new_ledger_has_room_ahead(postgresql_app: App) -> None:
    """Migrating makes this month and the two that follow; nothing is ever in no month."""
    assert parts(postgresql_app) == [202611, 202612, 202701]


def test_the_calendar_makes_room_once_a_month(postgresql_app: App) -> None:
    """With each new month the calendar makes one more ahead, whether or not the programme has begun."""
    ticked = rollout.run_calendar(postgresql_app, datetime(2026, 12, 1, 12, tzinfo=UTC))
    assert [run.period for run in ticked.done if run.job == due.MONTHS] == ["2026-12"]
    assert parts(postgresql_app) == [202611, 202612, 202701, 202702]
    again = rollout.run_calendar(postgresql_app, datetime(2026, 12, 2, 12, tzinfo=UTC))
    assert due.MONTHS not in {run.job for run in again.done}


def test_events_that_come_late_make_their_own_month(postgresql_app: App) -> None:
    """Usage of a spring that nobody had seen coming is taken in like any other, each event in its own month."""
    late = [cast.event(str(month), at=datetime(2026, month, 5, tzinfo=UTC)) for month in (3, 4)]
    assert books.take_in(postgresql_app, *late, cast.event("now", at=NOON)) == ["accepted"] * 3
    assert parts(postgresql_app)[:2] == [202603, 202604]
    assert [rows_of(postgresql_app, month) for month in (202603, 202604, 202611)] == [1, 1, 1]
    assert books.take_in(postgresql_app, *late) == ["duplicate"] * 2
    assert books.findings(postgresql_app) == {}


def test_an_event_stays_where_it_was_put(postgresql_app: App) -> None:
    """A correction that moves an event into another month leaves its number and its place alone; it is known there."""
    event = cast.event("1", at=NOON)
    books.take_in(postgresql_app, event)
    moved = cast.event("1", at=datetime(2026, 2, 3, tzinfo=UTC))
    with postgresql_app.transaction() as moment:
        version = Version("gateway", "1", 1, moved, "A clock")
        [outcome] = corrections.take_in(moment, [version], actor="cli:ben")
    assert outcome.status == "accepted"
    assert rows_of(postgresql_app, 202611) == 1
    assert books.take_in(postgresql_app, event) == ["duplicate"]
    assert books.findings(postgresql_app) == {}


def test_a_month_is_made_by_one_of_many(cloned_postgres_url: str, postgresql_app: App) -> None:
    """Gateways that report the first events of old months at once all get them in, and each month is made once."""
    answers: list[Status] = []

    def work(number: int) -> object:
        def take(database: Database) -> None:
            batch = [
                cast.event(f"{number}-{month}", at=datetime(2026, month, 5, tzinfo=UTC), source=f"gateway-{number}")
                for month in (range(1, 9) if number % 2 else range(8, 0, -1))
            ]
            with database.transaction() as session:
                answers.extend(one.status for one in intake.take_in(postgresql_app.moment(session, NOON), batch))

        return take

    cast.give(postgresql_app, ADA, "100")
    assert books.at_once(cloned_postgres_url, [work(number) for number in range(CROWD)]) == []  # type: ignore[misc]
    assert Counter(answers) == {"accepted": 8 * CROWD}
    assert parts(postgresql_app)[:8] == [202600 + month for month in range(1, 9)]
    assert books.findings(postgresql_app) == {}


def test_a_month_that_is_made_holds_up_nobody(postgresql_app: App) -> None:
    """While one batch has a month made and goes on, another writes to a month that was there, and readers read."""
    database = postgresql_app.database
    with database.transaction() as making:
        assert months.open_all(making, [202501]) == [202501]
        with database.transaction() as other:
            other.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
            moment = postgresql_app.moment(other, NOON)
            assert intake.take_in(moment, [cast.event("1", at=NOON)])[0].status == "accepted"
        assert books.count(postgresql_app, usage_events) == 1
    assert parts(postgresql_app)[0] == 202501


def test_the_doctor_misses_months(postgresql_app: App) -> None:
    """A calendar that stands still is noticed before the months run out."""
    with postgresql_app.reading(NOON + timedelta(days=62)) as moment:
        assert months_ahead.missing(moment) == [202702, 202703]
