"""What a company of any size needs: rows, bytes and log written for each person and each call; and how far it carries.

Measured in a company of one size, foretold for another that is four times as large, and measured there as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks import intake, ledgers, traffic
from store.tables import metadata

if TYPE_CHECKING:
    from programme.app import App

SMALL, TIMES = 100, 4
DAYS = 10
"""Of usage, in two halves: what the second half adds is what a call costs in a ledger that has begun."""
BATCH = 1_000
STORED = """SELECT pg_total_relation_size(t) + coalesce(sum(pg_total_relation_size(inhrelid)), 0)
FROM (SELECT %s::regclass AS t) one LEFT JOIN pg_inherits ON inhparent = t GROUP BY t"""
"""Of a table with its indexes, and of its parts."""
CALLS_A_DAY = traffic.EVENTS_A_DAY // traffic.PEOPLE
"""Of a person."""


class Size(NamedTuple):
    """What a ledger takes, in all: rows and bytes by table, and bytes of log since the server's beginning."""

    rows: dict[str, int]
    stored: dict[str, int]
    logged: int


class Cost(NamedTuple):
    """What a ledger takes for each person without use, and for each call."""

    person: float
    call: float
    rows_a_call: float
    logged_a_call: float

    def of(self, people: int, calls: int) -> float:
        """Bytes stored."""
        return self.person * people + self.call * calls


class Measured(NamedTuple):
    """A company's costs, what it stores in all, and the tables that a call adds most to, in bytes a call."""

    people: int
    calls: int
    cost: Cost
    stored: int
    by_table: dict[str, float]


def measure(people: int) -> Measured:
    """A company on PostgreSQL: hired and granted, and then ten days of calls."""
    calls = people * CALLS_A_DAY * DAYS // BATCH * BATCH
    with ledgers.ledger("postgresql", people) as app:
        begun = _size(app)
        halves = []
        for number, (body, _, _) in enumerate(traffic.batches(calls, BATCH, people=range(people)), start=1):
            intake.take_in(app, body)
            if number * BATCH in {calls // BATCH // 2 * BATCH, calls}:
                halves.append(_size(app))
    half, whole = halves
    added = calls - calls // BATCH // 2 * BATCH
    cost = Cost(
        sum(begun.stored.values()) / people,
        (sum(whole.stored.values()) - sum(half.stored.values())) / added,
        (sum(whole.rows.values()) - sum(half.rows.values())) / added,
        (whole.logged - half.logged) / added,
    )
    by_table = {name: (whole.stored[name] - half.stored[name]) / added for name in whole.stored}
    largest = dict(sorted(by_table.items(), key=lambda one: -one[1])[:6])
    return Measured(people, calls, cost, sum(whole.stored.values()), largest)


def _size(app: App) -> Size:
    with app.database.reading() as session:
        session.exec_driver_sql("VACUUM ANALYZE")
        names = [table.name for table in metadata.sorted_tables]
        rows = {name: session.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one() for name in names}
        stored = {name: int(session.exec_driver_sql(STORED, (name,)).scalar_one()) for name in names}
        logged = session.exec_driver_sql("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").scalar_one()
    return Size(rows, stored, int(logged))


def main() -> None:
    small, large = measure(SMALL), measure(SMALL * TIMES)
    for one in (small, large):
        print(
            f"scale, postgresql, {one.people:,} people, {one.calls:,} calls: a person without use takes"
            f" {one.cost.person / 1024:.1f} KiB, a call {one.cost.call:,.0f} bytes in {one.cost.rows_a_call:.2f} rows,"
            f" and writes {one.cost.logged_a_call:,.0f} bytes of log"
        )
        print("  of a call: " + ", ".join(f"{name} {size:,.0f}" for name, size in one.by_table.items()))
    foretold = small.cost.of(large.people, large.calls)
    print(
        f"scale: {large.people:,} people were foretold from {small.people:,} with {foretold / 2**20:,.0f} MiB and have"
        f" {large.stored / 2**20:,.0f} MiB = {foretold / large.stored:.2f}"
    )
