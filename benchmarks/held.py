"""A call that holds and settles: over its statements through the bare driver, beside many past holds, in a crowd."""

from __future__ import annotations

import gc
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from hashlib import blake2b
from statistics import median, quantiles
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import held_past, ledgers, taped, traffic
from handlers.usage.formats import fingerprint
from policy.estimates import Asked
from policy.metering import HoldRef, Remarks, UsageEvent
from programme.holds import reserving
from programme.holds.pricing import Ask
from programme.holds.reserving import Held
from programme.usage import intake
from store.holds.records import CALL
from tests.support import books

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from policy.metering import Identities, Meters
    from programme.app import App

WARM_UP, ROUNDS = 30, 600
FEW = 1_000
"""Past holds of a young ledger."""
WALLETS, AT_ONCE = 2_000, 32
CAPS = "".join(
    f'\n[[caps]]\nname = "{scope}"\nscope = "{scope}"\nwindow = "{window}"\nusd = 5000000\naction = "stop"\n'
    for scope, window in (("person", "day"), ("programme", "month"))
)
SOURCE = "bench"
MODEL = ("anthropic", "claude-sonnet-4-5")
USED: Meters = {"input_uncached": 1_000, "output": 300}


class Call(NamedTuple):
    """What the two halves of a call took, in seconds."""

    reserve: float
    settle: float

    @property
    def whole(self) -> float:
        return self.reserve + self.settle


class Measured(NamedTuple):
    """Medians in seconds; `floor` is the same statements through the bare driver."""

    call: Call
    floor: float
    statements: int


class Crowded(NamedTuple):
    """Many wallets at once: calls a second, and what a reservation took its caller, in seconds."""

    calls_a_second: float
    p50: float
    p99: float


def measure(kind: str, caps: str = "") -> Measured:
    """Calls of many people in a young ledger, each done again by a twin of it; both must come to the same.

    With `caps`, each call meets those of the handbook as well.
    """
    with ledgers.ledger(kind) as app:
        books.apply_handbook(app, "2026.2", date(2026, 1, 2), more=caps)
        held_past.fill(app, FEW)
        with ledgers.twin(app) as other:
            tape, twin = taped.on(app.database), taped.Twin(other)
            calls, floors = list[Call](), list[float]()
            for number in range(WARM_UP + ROUNDS):
                calls.append(_timed(app, number))
                told = tape.take()
                begun = time.perf_counter()
                twin.repeat(told)
                floors.append(time.perf_counter() - begun)
            twin.close()
            _assert_totals(app, FEW + WARM_UP + ROUNDS)
            assert held_past.standing(app.database) == held_past.standing(other)
    return Measured(_median(calls), median(floors[WARM_UP:]), sum(how != "commit" for how, _, _ in told))


def growth(kind: str, past: int) -> tuple[Call, Call]:
    """The same in a young ledger and in one with many past holds, in turn, so that the machine's moods meet both."""
    with ledgers.ledger(kind) as young, ledgers.ledger(kind) as old:
        held_past.fill(young, FEW)
        held_past.fill(old, past)
        found = [(_timed(young, number), _timed(old, number)) for number in range(WARM_UP + ROUNDS)]
        for app, before in ((young, FEW), (old, past)):
            _assert_totals(app, before + WARM_UP + ROUNDS)
    few, many = zip(*found, strict=True)
    return _median(few), _median(many)


def crowd(kind: str) -> Crowded:
    """Each of two thousand wallets has a call that runs, before the first of them settles."""
    with ledgers.ledger(kind, people=WALLETS) as app, ThreadPoolExecutor(AT_ONCE) as pool:
        begun = time.perf_counter()
        waits = list(pool.map(lambda number: _took(reserve, app, number), range(WALLETS)))
        with app.database.reading() as session:
            open_ones = session.exec_driver_sql("SELECT count(*) FROM accounts WHERE held > 0").scalar_one()
        assert open_ones == WALLETS
        list(pool.map(lambda number: settle(app, number), range(WALLETS)))
        seconds = time.perf_counter() - begun
        _assert_totals(app, WALLETS)
    return Crowded(WALLETS / seconds, median(waits), quantiles(waits, n=100)[98])


def _median(calls: Sequence[Call]) -> Call:
    return Call(*(median(column) for column in zip(*calls[WARM_UP:], strict=True)))


def _timed(app: App, number: int) -> Call:
    gc.disable()
    call = Call(_took(reserve, app, number), _took(settle, app, number))
    gc.enable()
    return call


def _took(work: Callable[[App, int], None], app: App, number: int) -> float:
    begun = time.perf_counter()
    work(app, number)
    return time.perf_counter() - begun


def _id(number: int) -> str:
    """As the plugin names its holds: like no other, and anywhere in an index."""
    return f"call_{blake2b(str(number).encode(), digest_size=12).hexdigest()}"


def reserve(app: App, number: int) -> None:
    asked = Asked({"input_uncached": 1_000}, most_output=800)
    identities: Identities = (("email", traffic.email(number)),)
    ask = Ask(SOURCE, _id(number), CALL, identities, *MODEL, "", "", asked, None, str(number).encode())
    with app.transaction() as moment:
        assert isinstance(reserving.reserve(moment, ask, app.usual_calls), Held)


def settle(app: App, number: int) -> None:
    identities: Identities = (("email", traffic.email(number)),)
    digest = fingerprint(ledgers.NOW, identities, *MODEL, "", USED, "")
    remarks = Remarks(hold=HoldRef(SOURCE, _id(number)))
    event = UsageEvent(SOURCE, f"e{number}", ledgers.NOW, identities, *MODEL, "", USED, "", digest, remarks)
    with app.transaction() as moment:
        [outcome] = intake.take_in(moment, [event])
    assert outcome.status == "accepted"


def _assert_totals(app: App, expected: int) -> None:
    with app.database.reading() as session:
        held = session.exec_driver_sql("SELECT sum(held) FROM accounts").scalar_one()
        done = session.exec_driver_sql("SELECT count(*) FROM holds WHERE status = 'settled'").scalar_one()
    assert (held, done) == (0, expected), f"{held} is held, {done} of {expected} are settled"
