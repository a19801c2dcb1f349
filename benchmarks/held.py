"""A call that holds and settles, over a bare driver that runs the same reads and writes a row for each write."""

from __future__ import annotations

import gc
import time
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import sqlalchemy as sa

from benchmarks import ledgers, traffic
from handlers.usage.formats import fingerprint
from policy.estimates import Asked
from policy.metering import HoldRef, Remarks, UsageEvent
from programme.holds import reserving
from programme.holds.pricing import Ask
from programme.holds.reserving import Held
from programme.usage import intake
from store import bulk
from store.holds.records import CALL, SETTLED, Hold
from store.tables.holds import holds

if TYPE_CHECKING:
    from policy.metering import Identities, Meters
    from programme.app import App

WARM_UP, ROUNDS = 30, 400
SOURCE = "bench"
MODEL = ("anthropic", "claude-sonnet-4-5")
USED: Meters = {"input_uncached": 1_000, "output": 300}
_SELECT = ("SELECT", "WITH")


class Measured(NamedTuple):
    """Medians in seconds; the floor runs so many statements, of which it reads those that read."""

    reserve: float
    settle: float
    floor: float
    statements: int


class _Seen:
    """The statements of one call, as the driver was given them."""

    def __init__(self, app: App) -> None:
        self.statements: list[tuple[str, Any]] = []
        self.app = app

    def __enter__(self) -> Self:
        sa.event.listen(self.app.database.writer, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sa.event.remove(self.app.database.writer, "before_cursor_execute", self._note)

    def _note(self, _session: object, _cursor: object, statement: str, values: Any, *_: object) -> None:  # noqa: ANN401 - what the driver takes
        self.statements.append((statement, values))


def measure(kind: str, past: int) -> Measured:
    """Calls of many people in a ledger with so many past holds; that all were held and freed is asserted."""
    with ledgers.ledger(kind) as app:
        _fill(app, past)
        with _Seen(app) as seen:
            _reserve(app, -1)
            _settle(app, -1)
        raw = _Raw(app, seen.statements)
        spent = [_timed(app, raw, number) for number in range(WARM_UP + ROUNDS)][WARM_UP:]
        _assert_totals(app, past + WARM_UP + ROUNDS + 1)
        raw.close()
    reserve, settle, floor = (median(column) for column in zip(*spent, strict=True))
    return Measured(reserve, settle, floor, len(seen.statements))


def _timed(app: App, raw: _Raw, number: int) -> tuple[float, float, float]:
    gc.disable()
    begun = time.perf_counter()
    _reserve(app, number)
    held = time.perf_counter()
    _settle(app, number)
    settled = time.perf_counter()
    raw.call()
    done = time.perf_counter()
    gc.enable()
    return held - begun, settled - held, done - settled


def _who(number: int) -> str:
    return traffic.email(number % traffic.PEOPLE)


def _reserve(app: App, number: int) -> None:
    asked = Asked({"input_uncached": 1_000}, most_output=800)
    identities: Identities = (("email", _who(number)),)
    ask = Ask(SOURCE, f"call_{number}", CALL, identities, *MODEL, "", "", asked, None, str(number).encode())
    with app.transaction() as moment:
        assert isinstance(reserving.reserve(moment, ask, app.usual_calls), Held)


def _settle(app: App, number: int) -> None:
    identities: Identities = (("email", _who(number)),)
    digest = fingerprint(ledgers.NOW, identities, *MODEL, "", USED, "")
    remarks = Remarks(hold=HoldRef(SOURCE, f"call_{number}"))
    event = UsageEvent(SOURCE, f"e{number}", ledgers.NOW, identities, *MODEL, "", USED, "", digest, remarks)
    with app.transaction() as moment:
        [outcome] = intake.take_in(moment, [event])
    assert outcome.status == "accepted"


class _Raw:
    """The same statements through the driver alone: reads as they are, and a row for each that writes."""

    def __init__(self, app: App, statements: list[tuple[str, Any]]) -> None:
        self._reads = [one for one in statements if one[0].lstrip().startswith(_SELECT)]
        self._writes = len(statements) - len(self._reads)
        self._number = 0
        self._session = app.database.writer.raw_connection()
        driver: Any = self._session.driver_connection
        self._driver = driver
        self._is_sqlite = app.database.dialect == "sqlite"
        self._insert = f"INSERT INTO bench_raw VALUES ({'?, ?' if self._is_sqlite else '%s, %s'})"
        self._driver.execute("CREATE TABLE bench_raw (id BIGINT PRIMARY KEY, said TEXT)")
        self._driver.commit()

    def call(self) -> None:
        """Two transactions, as a reserve and a settle are."""
        half = len(self._reads) // 2
        for reads, writes in (
            (self._reads[:half], self._writes // 2),
            (self._reads[half:], self._writes - self._writes // 2),
        ):
            if self._is_sqlite:
                self._driver.execute("BEGIN IMMEDIATE")
            for text, values in reads:
                self._driver.execute(text, values).fetchall()
            for _ in range(writes):
                self._number += 1
                self._driver.execute(self._insert, (self._number, "as long as a short row of a ledger is, or so"))
            self._driver.commit()

    def close(self) -> None:
        self._session.close()


def _fill(app: App, past: int) -> None:
    """Holds that were settled over the last four weeks."""
    with app.database.transaction() as session:
        accounts = [id_ for (id_,) in session.exec_driver_sql("SELECT id FROM accounts WHERE person_id IS NOT NULL")]
        instant = bulk.instant_codec(session)
        for begin in range(0, past, 50_000):
            rows = [_past(n, accounts[n % len(accounts)], instant) for n in range(begin, min(begin + 50_000, past))]
            bulk.insert(session, holds, Hold._fields, rows)
    with app.database.reading() as session:
        session.exec_driver_sql("ANALYZE")


def _past(number: int, account_id: int, instant: Any) -> tuple[object, ...]:  # noqa: ANN401 - the driver's own values
    at = instant(ledgers.NOW - timedelta(seconds=number % 2_400_000))
    amounts = (0, 0, 0, 0, 100_000, 1_000_000, 75_000, 750_000)
    person = ("per_bench", "anthropic", *MODEL, "", SETTLED)
    return (SOURCE, f"past_{number}", CALL, b"", account_id, *person, *amounts, None, "", at, at, at)


def _assert_totals(app: App, expected: int) -> None:
    with app.database.reading() as session:
        held = session.exec_driver_sql("SELECT sum(held) FROM accounts").scalar_one()
        done = session.exec_driver_sql("SELECT count(*) FROM holds WHERE status = 'settled'").scalar_one()
    assert (held, done) == (0, expected), f"{held} is held, {done} of {expected} are settled"
