"""(i) Weekly reports of many managers: owing them; the figures of one over a bare statement, as history grows."""

from __future__ import annotations

import gc
import random
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from benchmarks import ledgers
from bot import settings, wiring
from policy import handbook
from policy.period import Week
from programme.reports import weekly
from programme.reports.team import team_report
from store import bulk
from store.tables.ledger import accounts
from store.tables.outbox import outbox
from store.tables.people import people, reporting_lines
from store.tables.usage import services, usage_days

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from store.engine import Session

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MONDAY = date(2026, 11, 30)
REPORTS = 6
ASKED = 300
WEEKS = 12
SERVICES = ("anthropic", "openai", "gpu-cluster")
CHUNK = 200_000
DAYS_USED = 0.4
"""Of the working days of each person."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds: to owe every manager their report, to insert the same rows bare; one report, its bare statement."""

    owed: float
    owed_bare: float
    report: float
    report_bare: float
    rows: int


@contextmanager
def company(kind: str, managers: int, weeks: int) -> Iterator[App]:
    """So many managers with six reports each, who spent on two working days of five for so many weeks."""
    with ledgers.url(kind) as at:
        app = wiring.new_app(
            settings.load({"TOKENS_DATABASE_URL": at, "TOKENS_TIME_ZONE": ledgers.ZONE}), clock=lambda: NOW
        )
        text = handbook.packaged().replace("# launched_on = 2027-01-01", "launched_on = 2026-01-01")
        wiring.migrate(app, handbook=text)
        with app.database.transaction() as session:
            _hire(session, managers)
            _spend(session, managers * REPORTS, weeks)
        with app.database.writer.connect() as session:
            session.exec_driver_sql("ANALYZE")
            session.commit()
        yield app
        app.database.close()


def _hire(session: Session, managers: int) -> None:
    zones = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Europe/London", "Asia/Tokyo")
    hired = bulk.day_codec(session)(date(2025, 1, 1))
    leads = [(f"m{i}", f"m{i}@bench.example", f"Manager {i}", None, zones[i % 5]) for i in range(managers)]
    others = [
        (f"p{i}", f"p{i}@bench.example", f"Person {i}", f"m{i // REPORTS}", zones[i % 5])
        for i in range(managers * REPORTS)
    ]
    columns = ("id", "email", "name", "manager_id", "time_zone", "level", "role_family", "fte_permille", "hired_on")
    for some in (leads, others):
        bulk.insert(session, people, columns, [(*row, "mid", "engineering", 1_000, hired) for row in some])
    lines = [(person, hired, manager) for person, _, _, manager, _ in others]
    bulk.insert(session, reporting_lines, ("person_id", "holds_from", "manager_id"), lines)
    wallets = [(1_000 + i, f"wallet:p{i}", f"p{i}") for i in range(managers * REPORTS)]
    bulk.insert(session, accounts, ("id", "code", "person_id"), wallets)
    bulk.insert_missing(session, services, ("key", "name", "kind"), [(key, key, "model_api") for key in SERVICES])


def _spend(session: Session, count: int, weeks: int) -> None:
    chance = random.Random(count)
    last = Week.containing(NOW.date()).first_day
    code = bulk.day_codec(session)
    columns = (
        "day",
        "account_id",
        "service_key",
        "model",
        "project",
        "calls",
        "input_tokens",
        "output_tokens",
        "cost_nano_usd",
        "debit_micro_tokens",
    )
    for day in sorted(last - timedelta(days=7 * week - i) for week in range(weeks) for i in range(5)):
        if day >= NOW.date():
            continue
        rows = [
            (code(day), 1_000 + i, SERVICES[i % 3], "m", "", 9, 9_000, 900, cost := chance.randrange(10**9), cost // 10)
            for i in range(count)
            if chance.random() < DAYS_USED
        ]
        for some in bulk.chunks(rows, CHUNK):
            bulk.insert(session, usage_days, columns, some)


def measure(kind: str, managers: int, weeks: int) -> Measured:
    """Medians of reports of managers from all over the company, each in turn with the bare statement."""
    with company(kind, managers, weeks) as app:
        owed, owed_bare = _owe(app, managers)
        ours: list[float] = []
        floor: list[float] = []
        for i in random.Random(7).sample(range(managers), min(ASKED, managers)):
            ours.append(_report(app, i))
            floor.append(_bare(app, i))
        with app.database.reading() as session:
            rows = session.execute(sa.select(sa.func.count()).select_from(usage_days)).scalar_one()
    return Measured(owed, owed_bare, median(ours), median(floor), rows)


def _owe(app: App, managers: int) -> tuple[float, float]:
    gc.collect()
    begin = time.perf_counter()
    with app.transaction(NOW) as moment:
        assert weekly.owe(moment, Week(MONDAY)) == managers
    ours = time.perf_counter() - begin
    with app.database.transaction() as session:
        columns = [column for column in outbox.columns if column.name != "id"]
        query = sa.select(*columns)
        found = [dict(row) for row in session.execute(query).mappings()]
        names = tuple(column.name for column in columns)
        session.execute(sa.delete(outbox))
        rows = [tuple(_plain(session, row[name]) for name in names) for row in found]
        begin = time.perf_counter()
        bulk.insert(session, outbox, names, rows)
        floor = time.perf_counter() - begin
    return ours, floor


def _plain(session: Session, value: Any) -> Any:  # noqa: ANN401 - a driver's value
    if isinstance(value, datetime):
        return bulk.instant_codec(session)(value)
    return str(value).replace("'", '"') if isinstance(value, dict) else value


def _report(app: App, manager: int) -> float:
    begin = time.perf_counter()
    with app.reading(NOW) as moment:
        report = team_report(moment, f"m{manager}")
    spent = time.perf_counter() - begin
    assert report is not None
    assert any(week.spent for week in report.weeks)
    return spent


def _bare(app: App, manager: int) -> float:
    """The driver's own: the rows of the same people and days, summed by day, person and service."""
    first = Week.containing(NOW.date()).first_day - timedelta(days=7 * (WEEKS - 1))
    days = [first + timedelta(days=i) for i in range((NOW.date() - first).days + 1)]
    wallets = [1_000 + manager * REPORTS + i for i in range(REPORTS)]
    text = "SELECT day, account_id, service_key, sum(cost_nano_usd), sum(debit_micro_tokens) FROM usage_days"
    text += " WHERE day {} AND account_id {} GROUP BY day, account_id, service_key"
    begin = time.perf_counter()
    with app.database.reading() as session:
        if bulk.is_postgresql(session):
            rows = bulk.fetch(session, text.format("= ANY(%s)", "= ANY(%s)"), (days, wallets))
        else:
            marks = [f"IN ({', '.join('?' * len(some))})" for some in (days, wallets)]
            rows = bulk.fetch(session, text.format(*marks), [*(day.isoformat() for day in days), *wallets])
    spent = time.perf_counter() - begin
    assert rows
    return spent
