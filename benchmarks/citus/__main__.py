"""`make citus-trial`: a month of a company on a coordinator and two workers of Citus, while workers are killed.

Twice: with every table on the coordinator, and with the events in shards on the workers. What each node does and stores
is told beside the other, and what Citus refuses. Whatever was acknowledged has to be there once, and every figure has
to hold. Needs a PostgreSQL with Citus, which it takes as it finds it.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa
from fastapi.testclient import TestClient

from benchmarks import intake, ledgers, traffic
from benchmarks.citus import cluster, layouts
from benchmarks.citus.cluster import Cluster
from bot.cli.running import recomputed
from handlers import http
from programme.usage import keys
from store.proof import verify
from tests.support import memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.citus.cluster import Server
    from programme.app import App

BATCH, DAYS = 1_000, 30
CALM = 0.5
"""Of the month, in which nothing is killed and everything is measured."""
REFUSALS_BEFORE_RESTART, PATIENCE_SECONDS = 3, 60
TESTS = ("tests/store", "tests/programme/usage")
TEMPLATE = "company"
TYPE = "application/cloudevents-batch+json"
NOT_SETTLED = "SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()"
PREPARED = "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements WHERE query LIKE 'PREPARE TRANSACTION%'"
STORED = "SELECT pg_database_size(current_database())"


class Cost(NamedTuple):
    """What each node took for a batch: processor seconds, bytes, and transactions that it prepared."""

    processor: list[float]
    stored: list[float]
    prepared: list[float]
    seconds: float

    def told(self) -> str:
        processor = " + ".join(f"{seconds * 1_000:.0f}" for seconds in self.processor)
        stored = " + ".join(f"{size / BATCH:.0f}" for size in self.stored)
        prepared = " + ".join(f"{count:.1f}" for count in self.prepared)
        return (
            f"a batch took {processor} ms of processors (coordinator, workers, bot) in {self.seconds * 1_000:.0f} ms,"
            f" a call {stored} bytes (coordinator, workers); {prepared} prepared transactions a batch"
        )


@dataclass
class Answers:
    """What the gateway was told."""

    refused: int = 0
    again: int = 0
    """Events that were there already when they were sent once more: the answer was lost, they were not."""
    problems: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=60_000, help="calls of the month")
    parser.add_argument("--people", type=int, default=traffic.PEOPLE)
    parser.add_argument("--kills", type=int, default=4, help="how often a worker dies while events are on it")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--tests", action="store_true", help="the store's own tests as well, in both layouts")
    options = parser.parse_args()
    programs = cluster.binaries()
    if programs is None:
        print(
            "Not tried: no PostgreSQL with Citus is here. Install both, and name the folder of PostgreSQL's programs in"
            f" {cluster.BINARIES} where it is not that of the first pg_config."
        )
        return 1
    problems: list[str] = []
    # Each node would have a disk of its own; here three would wait for one.
    in_memory = memory.folder()
    with (
        tempfile.TemporaryDirectory(prefix="tokens-citus-", dir=in_memory) as folder,
        cluster.running(programs, Path(folder)) as servers,
    ):
        nodes = Cluster(*(server.node.port for server in servers))
        print(f"{nodes.coordinator.ask('SELECT version()')[0][0].partition(',')[0]}; seed {options.seed}", flush=True)
        _found_company(nodes, options.people)
        for layout in layouts.LAYOUTS:
            problems += [f"{layout}: {problem}" for problem in _month(nodes, servers, layout, options)]
        if options.tests:
            problems += _tests(nodes)
    for problem in problems:
        print(f"WRONG  {problem}")
    if not problems:
        print("Nothing that was acknowledged is lost, nothing is there twice, and every figure holds.")
    return 1 if problems else 0


def _found_company(nodes: Cluster, people: int) -> None:
    nodes.create(TEMPLATE)
    app = ledgers.at(nodes.url(TEMPLATE))
    ledgers.found(app, people)
    app.database.close()


# --- A month ---------------------------------------------------------------------------------------------------------


def _month(nodes: Cluster, servers: Sequence[Server], layout: str, options: argparse.Namespace) -> Iterator[str]:
    database = f"month_{layout}"
    nodes.clone(database, TEMPLATE)
    layouts.lay_out(nodes, database, layout)
    app = ledgers.at(nodes.url(database))
    made = traffic.batches(options.events, BATCH, people=range(options.people), days=DAYS)
    months = [(body, replace(totals)) for body, _, totals in made]
    calm = round(len(months) * CALM)
    answers = Answers()
    with TestClient(http.build(app)) as gateway:
        gateway.headers["authorization"] = f"Bearer {_key(app)}"
        cost = _measured(nodes, servers, database, gateway, [body for body, _ in months[:calm]], answers)
        print(f"{layout}: {cost.told()}", flush=True)
        kills = options.kills if layout == layouts.EVENTS else 0
        _load_with_kills(servers, gateway, [body for body, _ in months[calm:]], answers, kills, options.seed)
        if kills:
            print(
                f"{layout}: {kills} workers killed; {answers.refused} batches were refused with 503 and sent again, of"
                f" which {answers.again:,} events were there already",
                flush=True,
            )
            print(f"{layout}: {_settled(nodes, database)}", flush=True)
        yield from answers.problems
    ledgers.assert_totals(app, months[-1][1])
    if layout == layouts.EVENTS:
        _tell_what_differs(app, layout, options.people)
        app.database.close()
        layouts.gather(nodes, database)
    yield from islice(recomputed(app), 5)
    app.database.close()
    nodes.drop(database)


def _key(app: App) -> str:
    with app.transaction() as moment:
        return keys.create(moment, name="bench", source=traffic.SOURCE, scopes=["usage:write"], actor="trial").secret


def _measured(  # noqa: PLR0917 - private, called once
    nodes: Cluster,
    servers: Sequence[Server],
    database: str,
    gateway: TestClient,
    bodies: Sequence[bytes],
    answers: Answers,
) -> Cost:
    """What batches cost that nothing disturbs."""

    def so_far() -> list[list[float]]:
        ours = resource.getrusage(resource.RUSAGE_SELF)
        return [
            [*(server.processor_seconds() for server in servers), ours.ru_utime + ours.ru_stime],
            [float(node.ask(STORED, database)[0][0]) for node in nodes.nodes],
            [float(node.ask(PREPARED, database)[0][0]) for node in nodes.workers],
        ]

    before, begun = so_far(), time.perf_counter()
    for body in bodies:
        _send(gateway, body, answers)
    seconds = (time.perf_counter() - begun) / len(bodies)
    after = so_far()
    each = [
        [(late - early) / len(bodies) for early, late in zip(*both, strict=True)]
        for both in zip(before, after, strict=True)
    ]
    return Cost(each[0], each[1], each[2], seconds)


def _load_with_kills(  # noqa: PLR0917 - private, called once
    servers: Sequence[Server], gateway: TestClient, bodies: Sequence[bytes], answers: Answers, kills: int, seed: int
) -> None:
    """Send batches, while workers die somewhere in the middle of some; they come back once batches were refused."""
    chance = random.Random(seed)
    fatal = set(chance.sample(range(len(bodies)), kills))
    usual = 0.2
    for number, body in enumerate(bodies):
        begun = time.perf_counter()
        dying = threading.Timer(usual * chance.random(), chance.choice(servers[1:]).kill) if number in fatal else None
        if dying is not None:
            dying.start()
        _send(gateway, body, answers, servers)
        if dying is not None:
            dying.join()
        else:
            usual = time.perf_counter() - begun
    # One may have died once the last batch was taken in.
    _restart(servers)


def _send(gateway: TestClient, body: bytes, answers: Answers, servers: Sequence[Server] = ()) -> None:
    """Send a batch until it is taken in, as a gateway does."""
    deadline, refused = time.monotonic() + PATIENCE_SECONDS, 0
    while True:
        answer = gateway.post("/v1/usage", content=body, headers={"content-type": TYPE})
        if answer.status_code == HTTPStatus.OK:
            break
        if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
            answers.problems.append(f"a batch was answered with {answer.status_code}: {answer.text[:200]}")
            return
        refused += 1
        if refused >= REFUSALS_BEFORE_RESTART:
            _restart(servers)
    answers.refused += refused
    statuses = Counter(one["status"] for one in answer.json()["results"])
    answers.again += statuses["duplicate"]
    if set(statuses) - {"accepted", "duplicate"} or (statuses["duplicate"] and not refused):
        answers.problems.append(f"a batch that was refused {refused} times became {dict(statuses)}")


def _restart(servers: Sequence[Server]) -> None:
    for server in servers:
        if not server.is_running:
            server.start()


def _settled(nodes: Cluster, database: str) -> str:
    """How long what the dead had prepared stays undecided."""
    begun = time.monotonic()
    while sum(node.ask(NOT_SETTLED, database)[0][0] for node in nodes.workers):
        if time.monotonic() > begun + PATIENCE_SECONDS:
            return "prepared transactions are still undecided"
        time.sleep(cluster.POLL_SECONDS)
    return f"no prepared transaction was undecided {time.monotonic() - begun:.1f} s after the last batch"


# --- What a cluster is not ------------------------------------------------------------------------------------------


def _tell_what_differs(app: App, layout: str, people: int) -> None:
    refused = list(_refused(app))
    print(f"{layout}: Citus refuses {len(refused)} of {len(verify.CHECKS)} checks of verify: {', '.join(refused)}")
    wrong = _findings_of_two_instants(app, people)
    print(
        f"{layout}: a snapshot that reads the coordinator before a batch and the workers after it has"
        f" {wrong} figures that do not hold",
        flush=True,
    )


def _refused(app: App) -> Iterator[str]:
    for check in verify.CHECKS:
        with app.database.snapshot() as session:
            try:
                list(check(session))
            except sa.exc.NotSupportedError:
                yield check.__name__


def _findings_of_two_instants(app: App, people: int) -> int:
    """A snapshot is the coordinator's; on a worker it begins with the first statement that goes there."""
    body, _, _ = next(traffic.batches(BATCH, BATCH, people=range(people), seed=2))
    with app.database.snapshot() as session:
        session.exec_driver_sql("SELECT count(*) FROM entries").scalar_one()
        intake.take_in(app, body)
        return len(list(verify.costs_and_days(session, app.zone, lambda _: None)))


def _tests(nodes: Cluster) -> Iterator[str]:
    """The store's own tests on the coordinator, in each layout."""
    for layout in layouts.LAYOUTS:
        with tempfile.NamedTemporaryFile("r", suffix=".txt") as refused:
            environment = {
                "TOKENS_TEST_DATABASE_URL": nodes.url("postgres"),
                layouts.PORTS: ",".join(str(node.port) for node in nodes.nodes),
                layouts.LAYOUT: layout,
                layouts.REFUSED: refused.name,
            }
            command = [sys.executable, "-m", "pytest", "-p", "benchmarks.citus.databases", "-n", "0", "-q", "--deep"]
            command += ["--tb=short", "-k", "postgresql or races", *TESTS]
            done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
            print(f"{layout}: the store's tests: {done.stdout.strip().splitlines()[-1]}", flush=True)
            print("".join(f"  {line}" for line in refused), flush=True)
            if layout == layouts.LOCAL and done.returncode:
                yield f"{layout}: the store's tests fail"


if __name__ == "__main__":
    sys.exit(main())
