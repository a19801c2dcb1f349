"""Intake by several processes at once on one PostgreSQL: how much faster they are together than one is alone.

Rounds: in each, the same traffic is taken in by one writer, by two, by four and by eight, so that all of them meet the
same moods of the machine. It is that of eight gateways: each has a source, and an eighth of the people. Beside the
clock stands how many processors the writers and PostgreSQL had: where others work too, no number of writers gets more.
`TMPDIR=/dev/shm` has the server in memory, where a commit waits for no disk.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import intake, ledgers, traffic
from bot import settings, wiring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from programme.app import App

WRITERS = (1, 2, 4, 8)
GATEWAYS = 8
BATCH, BATCHES = 1_000, 1
"""Of each gateway in a round of so many writers."""
MOST_ROUNDS = 25
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
SAMPLE_SECONDS = 0.01
TICKS = os.sysconf("SC_CLK_TCK")


class Together(NamedTuple):
    """So many writers in a round: events a second by the clock, and what they cost."""

    speed: float
    processors: float
    """How many were busy with it, of the writers' and of PostgreSQL's."""
    cost: float
    """Microseconds of a processor for each event."""
    waiting: float
    """The share of their time in which they waited for a lock of another, which no load beside them changes much."""


def measure(rounds: int, *, shape: str = "sessions", one_source: bool = False) -> dict[int, Together]:
    """The median of the rounds for each number of writers; the totals are asserted."""
    with ledgers.ledger("postgresql") as app, _writers(app) as pipes:
        postmaster = _postmaster(app)
        gateways = [_Gateway(number, rounds * len(WRITERS), shape, one_source=one_source) for number in range(GATEWAYS)]
        found: dict[int, list[Together]] = {number: [] for number in WRITERS}
        for _ in range(rounds):
            for number in WRITERS:
                found[number].append(_round(app, pipes[:number], gateways, postmaster))
        ledgers.assert_totals(app, reduce(traffic.Totals.plus, [gateway.totals for gateway in gateways]))
    return {number: Together(*map(median, zip(*several, strict=True))) for number, several in found.items()}


class _Gateway:
    """The traffic of some people, who have no other gateway."""

    def __init__(self, number: int, turns: int, shape: str, *, one_source: bool) -> None:
        share = traffic.PEOPLE // GATEWAYS
        people = range(number * share, (number + 1) * share)
        self._batches = traffic.batches(turns * BATCHES * BATCH, BATCH, shape=shape, people=people, seed=number + 1)
        self._source = traffic.SOURCE if one_source else f"{traffic.SOURCE}-{number}"
        self.totals = traffic.Totals()

    def next(self) -> bytes:
        body, _, self.totals = next(self._batches)
        return body.replace(b'"source":"bench"', f'"source":"{self._source}"'.encode())


def _round(app: App, pipes: list[Connection], gateways: list[_Gateway], postmaster: int) -> Together:
    for number, gateway in enumerate(gateways):
        for _ in range(BATCHES):
            pipes[number % len(pipes)].send(gateway.next())
    begun, before = time.perf_counter(), _spent_below(postmaster)
    for pipe in pipes:
        pipe.send(None)
    waiting = _watched(app, pipes)
    spent = sum(pipe.recv() for pipe in pipes)
    taken = time.perf_counter() - begun
    spent += _spent_below(postmaster) - before
    events = GATEWAYS * BATCHES * BATCH
    return Together(events / taken, spent / taken, spent / events * 1e6, waiting)


def _watched(app: App, pipes: list[Connection]) -> float:
    """Until all are done: the share of samples in which a writer waited for a lock."""
    samples = waits = 0
    with app.reading() as moment:
        while not all(pipe.poll() for pipe in pipes):
            waits += moment.session.exec_driver_sql(WAITING).scalar_one()
            samples += sum(not pipe.poll() for pipe in pipes)
            time.sleep(SAMPLE_SECONDS)
    return waits / max(samples, 1)


# --- Processes -------------------------------------------------------------------------------------------------------


@contextmanager
def _writers(app: App) -> Iterator[list[Connection]]:
    """As many processes as there are writers at most, each with a bot of its own that is warm."""
    url = app.database.writer.url.render_as_string(hide_password=False)
    spawn = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(max(WRITERS)):
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=_write, args=(theirs, url), daemon=True)
        process.start()
        pipes.append(ours)
        processes.append(process)
    try:
        for pipe in pipes:
            pipe.recv()
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join(10)


def _write(pipe: Connection, url: str) -> None:
    """Take in what was sent, once a None says so, and answer with the seconds of a processor that it took."""
    app = wiring.new_app(
        settings.load({"TOKENS_DATABASE_URL": url, "TOKENS_TIME_ZONE": ledgers.ZONE}), clock=lambda: ledgers.NOW
    )
    with app.reading() as moment:
        moment.session.exec_driver_sql("SELECT 1")
    for provider, model, *_ in traffic.MODELS:
        app.prices.listed(provider, model, "", ledgers.NOW)
    pipe.send(0.0)
    bodies: list[bytes] = []
    try:
        while True:
            if (body := pipe.recv()) is not None:
                bodies.append(body)
                continue
            before = _spent()
            for one in bodies:
                intake.take_in(app, one)
            pipe.send(_spent() - before)
            bodies.clear()
    except EOFError:
        app.database.close()


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _postmaster(app: App) -> int:
    with app.database.reading() as session:
        backend: int = session.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    return int(_stat(backend)[1])


def _spent_below(parent: int) -> float:
    """Seconds of a processor that a process and its children have had."""
    total = 0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat = _stat(int(path.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(stat[1]) == parent:
            total += int(stat[11]) + int(stat[12])
    # Of children that ended the parent knows.
    own = _stat(parent)
    return (total + sum(map(int, own[11:15]))) / TICKS


def _stat(pid: int) -> list[str]:
    """What Linux counts of a process, from its state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def main(events: int) -> None:
    rounds = min(MOST_ROUNDS, max(1, events // (len(WRITERS) * GATEWAYS * BATCHES * BATCH)))
    for shape, one_source in (("sessions", False), ("scattered", False), ("sessions", True)):
        measured = measure(rounds, shape=shape, one_source=one_source)
        for number, one in measured.items():
            target = ", target >= 1.6" if (number, shape, one_source) == (4, "sessions", False) else ""
            print(
                f"writers, postgresql, {shape}, {'one source' if one_source else 'a source each'}, {number} at once:"
                f" {one.speed:,.0f}/s = {one.speed / measured[1].speed:.2f} of one{target};"
                f" {one.processors:.2f} processors, an event costs {one.cost:.0f} µs,"
                f" {one.waiting:.0%} of the time waits for locks"
            )
