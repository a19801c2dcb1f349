"""(b) From JSON bytes to the committed ledger, over a raw idempotent insert of the same events by the same driver."""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa

from benchmarks import ledgers, traffic
from handlers.usage import cloudevents
from policy.metering import UsageEvent
from programme.usage import intake
from store import engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from programme.app import App

Rows = list[tuple[Any, ...]]
RAW = """CREATE TABLE raw_events (source text, event_id text, occurred_at {instant}, identities text, provider text,
model text, meters text, PRIMARY KEY (source, event_id))"""
MILLION = 1_000_000


def take_in(app: App, body: bytes) -> None:
    """What the HTTP route does between the body and the answer."""
    events = [item for item in cloudevents.parse(body) if isinstance(item, UsageEvent)]
    with app.transaction() as moment:
        outcomes = intake.take_in(moment, events)
    assert all(outcome.status == "accepted" for outcome in outcomes)


@contextmanager
def raw_insert(kind: str) -> Iterator[tuple[Callable[[Rows], None], Callable[[], int]]]:
    """(insert a batch idempotently and commit, count the rows), by the bare driver with the ledger's own settings."""
    with ledgers.url(kind) as url:
        yield from _raw_sqlite(url) if kind == "sqlite" else _raw_postgresql(url)


def _raw_sqlite(url: str) -> Iterator[tuple[Callable[[Rows], None], Callable[[], int]]]:
    pool = engine.open_database(url)
    with pool.writer.connect() as session:
        driver = session.connection.driver_connection
        assert driver is not None
        driver.execute(RAW.format(instant="text"))
        statement = f"INSERT INTO raw_events VALUES ({', '.join('?' * 7)}) ON CONFLICT DO NOTHING"

        def insert(rows: Rows) -> None:
            driver.execute("BEGIN IMMEDIATE")
            driver.executemany(statement, rows)
            driver.execute("COMMIT")

        yield insert, lambda: driver.execute("SELECT count(*) FROM raw_events").fetchone()[0]
    pool.close()


def _raw_postgresql(url: str) -> Iterator[tuple[Callable[[Rows], None], Callable[[], int]]]:
    plain = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    types = ["text", "text", "timestamptz", "text", "text", "text", "text"]
    with psycopg.connect(plain, autocommit=True) as driver:
        driver.execute(RAW.format(instant="timestamptz"))
        driver.execute("CREATE TEMPORARY TABLE staging (LIKE raw_events)")

        def insert(rows: Rows) -> None:
            with driver.transaction(), driver.cursor() as cursor:
                with cursor.copy("COPY staging FROM STDIN (FORMAT BINARY)") as copy:
                    copy.set_types(types)
                    for row in rows:
                        copy.write_row(row)
                cursor.execute("INSERT INTO raw_events SELECT * FROM staging ON CONFLICT DO NOTHING")
                cursor.execute("TRUNCATE staging")

        def count() -> int:
            row = driver.execute("SELECT count(*) FROM raw_events").fetchone()
            assert row is not None
            return int(row[0])

        yield insert, count


def ratio(kind: str, *, events: int, batch: int, shape: str) -> tuple[float, float]:
    """(our events/s, the floor's), batch by batch in turn, so that both meet the same moods of the machine."""
    ours = floor = 0.0
    with ledgers.ledger(kind) as app, raw_insert(kind) as (insert, count):
        totals = traffic.Totals()
        for body, rows, running in traffic.batches(events, batch, shape=shape):
            floor += _seconds(insert, _as_driver_takes(kind, rows))
            ours += _seconds(take_in, app, body)
            totals = running
        ledgers.assert_totals(app, totals)
        assert count() == totals.events
    return events / ours, events / floor


def growth(
    app: App,
    *,
    events: int,
    batch: int,
    report: Callable[[str], None],
    people: range = traffic.EVERYBODY,
    before: traffic.Totals | None = None,
) -> list[float]:
    """Events/s of each tenth of `events`; the ledger keeps them, beside those that were there before."""
    speeds: list[float] = []
    spent = 0.0
    done = 0
    tenth = events // 10
    totals = traffic.Totals()
    # Other ids than those that are there already.
    for body, _, running in traffic.batches(events, batch, people=people, seed=2 if before else 1):
        spent += _seconds(take_in, app, body)
        done += batch
        totals = running
        if done >= tenth * (len(speeds) + 1):
            speeds.append(tenth / spent)
            report(f"{done:>12,} events: {speeds[-1]:>8,.0f}/s")
            spent = 0.0
    ledgers.assert_totals(app, totals.plus(before) if before else totals)
    return speeds


def _as_driver_takes(kind: str, rows: Rows) -> Rows:
    if kind == "postgresql":
        return rows
    return [(*row[:2], row[2].isoformat(" ", "microseconds")[:26], *row[3:]) for row in rows]


def _seconds(work: Callable[..., None], *arguments: object) -> float:
    # What an earlier batch left to collect is not this one's.
    gc.collect()
    begin = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begin
