"""(k) Drafting the review of a company's quarter: gathering, freezing, proposing, over the same rows inserted bare."""

from __future__ import annotations

import gc
import io
import random
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from benchmarks import ledgers
from benchmarks.monthly import LEVELS
from bot import settings, wiring
from policy import handbook
from policy.outcomes import OutcomeReport
from policy.period import Month, Quarter
from policy.reviews.proposal import weeks_of
from policy.units import NanoUSD
from programme.grants import monthly
from programme.outcomes import intake
from programme.people import directory, terms
from programme.reviews import drafting
from store import bulk
from store.reviews import drafts as store
from store.tables.ledger import accounts
from store.tables.reviews import review_cases, review_inputs
from store.tables.usage import services, usage_days

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App

QUARTER = Quarter(2026, 4)
NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)
TEAM = 8
DAYS_USED = 0.4
"""Of the working days of each person."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds: to draft, to insert its rows bare, to work it out again from its frozen inputs."""

    draft: float
    bare: float
    recompute: float
    rows: int


def measure(kind: str, count: int) -> Measured:
    """One draft, in a company with a quarter behind it."""
    with company(kind, count) as app:
        gc.collect()
        begin = time.perf_counter()
        with app.transaction(NOW) as moment:
            drafted = drafting.draft(moment, QUARTER)
        ours = time.perf_counter() - begin
        assert drafted is not None
        with app.reading() as moment:
            begin = time.perf_counter()
            assert drafting.recompute(moment, QUARTER) == []
            again = time.perf_counter() - begin
            assert len(store.cases(moment.session, QUARTER)) == count
        bare, rows = _bare(app)
    return Measured(ours, bare, again, rows)


def _bare(app: App) -> tuple[float, int]:
    """The rows of inputs and cases inserted again, by the driver's own fastest way, with everything at hand."""
    with app.database.writer.connect() as session:
        copies = []
        for table in (review_inputs, review_cases):
            names = [column.name for column in table.columns]
            rows = [
                tuple(store.dumped(value) if isinstance(value, dict | list) else value for value in row)
                for row in session.execute(sa.select(table))
            ]
            copies.append((table, names, rows))
        for table, *_ in copies:
            session.execute(sa.delete(table))
        begin = time.perf_counter()
        for table, names, rows in copies:
            bulk.insert(session, table, names, rows)
        spent = time.perf_counter() - begin
        session.rollback()
    return spent, sum(len(rows) for *_, rows in copies)


@contextmanager
def company(kind: str, count: int) -> Iterator[App]:
    """So many engineers in teams of eight, with three months of grants, use on two working days of five, outcomes."""
    with ledgers.url(kind) as at:
        app = wiring.new_app(
            settings.load({"TOKENS_DATABASE_URL": at, "TOKENS_TIME_ZONE": ledgers.ZONE}), clock=lambda: NOW
        )
        text = handbook.packaged().replace("# launched_on = 2027-01-01", "launched_on = 2026-01-01")
        wiring.migrate(app, handbook=text)
        with app.transaction(NOW) as moment:
            directory.import_csv(moment, io.StringIO(_people_csv(count)), actor="bench")
            midpoint = NanoUSD.parse("140000")
            terms.set_band(moment, "B1", midpoint, holds_from=date(2020, 1, 1), actor="bench")
            for number in (10, 11, 12):
                monthly.run(moment, Month(2026, number))
        _use(app)
        _deliver(app, count)
        yield app
        app.database.close()


def _people_csv(count: int) -> str:
    rows = ["email,name,manager_email,level,role_family,pay_band,time_zone,hired_on,wave"]
    rows += [
        f"lead{i}@bench.example,Lead {i},,principal,management,B1,Europe/Berlin,2025-01-01,1"
        for i in range(-(-count // TEAM))
    ]
    rows += [
        f"p{i}@bench.example,Person {i},lead{i // TEAM}@bench.example,{LEVELS[i % 5]},engineering,B1,"
        f"Europe/Berlin,2025-01-01,{1 + i % 4}"
        for i in range(count)
    ]
    return "\n".join(rows)


def _use(app: App) -> None:
    """The roll-up of the quarter's days, as `usage` would leave it."""
    chance = random.Random(4)
    days = [day for day in QUARTER.days() if day.weekday() < 5]
    with app.database.transaction() as session:
        session.execute(sa.insert(services), [{"key": "bench", "name": "Bench", "kind": "api"}])
        wallets = session.execute(sa.select(accounts.c.id).where(accounts.c.person_id.is_not(None))).scalars().all()
        coded = bulk.day_codec(session)
        rows: list[tuple[Any, ...]] = [
            (coded(day), wallet, "bench", "model", "", 9, 9_000, 900, 10**9, chance.randint(1, 9_000) * 10**6)
            for day in days
            for wallet in wallets
            if chance.random() < DAYS_USED
        ]
        bulk.insert(session, usage_days, [column.name for column in usage_days.columns], rows)


def _deliver(app: App, count: int) -> None:
    """One outcome of each person a week, mapped by the first of the team."""
    leads = range(-(-count // TEAM))
    with app.transaction(NOW) as moment:
        for i in leads:
            directory.map_identity(
                moment, source="bench", kind="user", value=f"team{i}", email=f"p{i * TEAM}@bench.example", actor="bench"
            )
        told = [
            OutcomeReport(
                "bench",
                f"{monday}-{i}-{n}",
                "task",
                _noon(monday + timedelta(days=n % 5)),
                f"team{i}",
                "shop",
                figure=500 + 100 * (i % 17),
            )
            for monday in weeks_of(QUARTER)
            for i in leads
            for n in range(TEAM)
        ]
        intake.take_in(moment, told)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
