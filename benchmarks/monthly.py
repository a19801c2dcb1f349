"""(d) A month's grants over a raw `executemany` of the same rows into the same tables."""

from __future__ import annotations

import gc
import io
import json
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from benchmarks import ledgers
from bot import settings, wiring
from policy import handbook
from policy.period import Month
from policy.units import NanoUSD
from programme.grants import monthly
from programme.people import directory, terms
from store.columns import Instant
from store.tables.audit import audit_log
from store.tables.grants import grants
from store.tables.ledger import accounts, entries, lots, postings
from store.tables.outbox import outbox, runs
from store.tables.value import usd_entries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App

NOW = datetime(2026, 12, 1, 0, 5, tzinfo=UTC)
MONTH = Month(2026, 12)
LEVELS = ("junior", "mid", "senior", "staff", "principal")
WRITTEN = (accounts, entries, postings, lots, grants, usd_entries, outbox, runs, audit_log)
"""Parents first."""


@contextmanager
def company(kind: str, count: int) -> Iterator[App]:
    """A launched company of so many engineers, in five bands and twenty time zones of the day."""
    with ledgers.url(kind) as at:
        app = wiring.new_app(
            settings.load({"TOKENS_DATABASE_URL": at, "TOKENS_TIME_ZONE": ledgers.ZONE}), clock=lambda: NOW
        )
        text = handbook.packaged().replace("# launched_on = 2027-01-01", "launched_on = 2026-01-01")
        wiring.migrate(app, handbook=text)
        with app.transaction(NOW) as moment:
            directory.import_csv(moment, io.StringIO(_people_csv(count)), actor="bench")
            for number, midpoint in enumerate((80_000, 110_000, 140_000, 180_000, 220_000), start=1):
                terms.set_band(
                    moment, f"B{number}", NanoUSD.parse(str(midpoint)), holds_from=date(2020, 1, 1), actor="bench"
                )
            terms.set_budget(moment, MONTH, NanoUSD.parse(str(2_500 * count)), actor="bench")
        yield app
        app.database.close()


def _people_csv(count: int) -> str:
    zones = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Europe/London", "Asia/Tokyo")
    rows = ["email,name,level,role_family,pay_band,time_zone,hired_on,wave"]
    rows += [
        f"person{i}@bench.example,Person {i},{LEVELS[i % 5]},engineering,B{1 + i % 5},{zones[i % 5]},2025-01-01,1"
        for i in range(count)
    ]
    return "\n".join(rows)


def measure(kind: str, count: int) -> tuple[float, float]:
    """(seconds of the run, seconds of the raw inserts), the totals asserted on both sides."""
    with company(kind, count) as app:
        gc.collect()
        begin = time.perf_counter()
        with app.transaction(NOW) as moment:
            posted = monthly.run(moment, MONTH, announce_in="C0BENCH")
        ours = time.perf_counter() - begin
        assert posted is not None
        assert posted.people == count
        rows = {table.name: _rows(app, table) for table in WRITTEN}
        assert len(rows["grants"]) == len(rows["lots"]) == count
        assert len(rows["outbox"]) == count + 1
        floor = _raw(kind, rows)
    return ours, floor


def _rows(app: App, table: sa.Table) -> list[tuple[Any, ...]]:
    """What the run wrote, as the driver takes it."""
    with app.database.reading() as session:
        found = [tuple(row) for row in session.execute(sa.select(table))]
    sqlite = app.database.dialect == "sqlite"
    return [
        tuple(_plain(value, column, sqlite=sqlite) for value, column in zip(row, table.columns, strict=True))
        for row in found
    ]


def _plain(value: Any, column: sa.Column[Any], *, sqlite: bool) -> Any:  # noqa: ANN401 - a driver's value
    if isinstance(value, dict | list):
        return json.dumps(value)
    if sqlite and isinstance(column.type, Instant) and value is not None:
        return value.isoformat(" ", "microseconds")[:26]
    return value


def _raw(kind: str, rows: dict[str, list[tuple[Any, ...]]]) -> float:
    """The same rows into the same tables, by the driver's `executemany`, in one transaction."""
    with company(kind, 1) as app, app.database.writer.connect() as session:
        driver: Any = session.connection.driver_connection
        _without_foreign_keys(driver, kind)
        mark = "?" if kind == "sqlite" else "%s"
        gc.collect()
        begin = time.perf_counter()
        cursor = driver.cursor()
        cursor.execute("BEGIN IMMEDIATE" if kind == "sqlite" else "SELECT 1")
        cursor.execute("DELETE FROM audit_log")
        for table in WRITTEN:
            names = ", ".join(column.name for column in table.columns)
            marks = ", ".join([mark] * len(table.columns))
            cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows[table.name])
        cursor.execute("COMMIT")
        spent = time.perf_counter() - begin
        assert cursor.execute("SELECT count(*) FROM grants").fetchone()[0] == len(rows["grants"])
    return spent


def _without_foreign_keys(driver: Any, kind: str) -> None:  # noqa: ANN401 - the driver's connection
    # The people of the measured company are not in this database.
    if kind == "sqlite":
        driver.execute("PRAGMA foreign_keys = OFF")
    else:
        driver.execute("SET session_replication_role = replica")
