"""`make failover-trial`: the product under load on a cluster of real parts, while one after the other of them fails.

etcd, two PostgreSQL nodes under Patroni, HAProxy, PgBouncer in transaction mode, each on a machine of its own (a
network namespace); two replicas that take in usage, two couriers, a bot in Socket Mode and a tick, beside a Slack
workspace. A load keeps a book of what it was answered. Afterwards the ledger, the messages and the book have to agree.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.failover import checks, cluster, company, faults, machines
from benchmarks.failover.load import Load
from tests.support import memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.failover.cluster import Cluster
    from benchmarks.failover.company import Company
    from benchmarks.failover.faults import Fault, Scene

CALM_SECONDS = 10
"""Of load, before the first fault and after each, once everything is whole again."""
WRITES, READS = ("usage", "hold", "settle"), ("balance",)


@dataclass(frozen=True)
class Told:
    """A fault, and the longest time in which nothing was acknowledged."""

    fault: str
    writes: float
    reads: float
    whole: float


@dataclass
class Trial:
    """What is told while it goes on."""

    begun: float = field(default_factory=time.monotonic)
    faults: list[Told] = field(default_factory=list)
    memory: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def tell(self, line: str) -> None:
        seconds = round(time.monotonic() - self.begun)
        print(f"{seconds // 60:3}:{seconds % 60:02}  {line}", flush=True)

    def weigh(self, bots: Company, when: str) -> None:
        self.memory[when] = {name: bot.resident_mib for name, bot in bots.bots.items() if bot.is_running}
        self.tell(f"resident MiB {when}: " + ", ".join(f"{name} {mib}" for name, mib in self.memory[when].items()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=0, help="so long, with faults drawn; else each fault once")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--asynchronous", action="store_true", help="commits do not wait for the standby")
    parser.add_argument("--only", default="", help="faults that have this word")
    options = parser.parse_args()
    if lacking := cluster.missing():
        print(f"Not tried: {', '.join(lacking)} cannot be found here. On Debian: apt-get install {' '.join(lacking)}")
        return 1
    machines.go_inside("benchmarks.failover")
    # Leave by the front door, so that everything is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # Every machine would have a disk of its own; here etcd would wait for those of PostgreSQL.
    folder = Path(tempfile.mkdtemp(prefix="tokens-failover-", dir=memory.folder()))
    folder.chmod(0o755)
    trial = Trial()
    try:
        with cluster.running(folder, synchronous=not options.asynchronous) as running:
            trial.tell(f"the cluster runs, {'a' if options.asynchronous else ''}synchronous; seed {options.seed}")
            with company.at_work(running, folder / "bots") as at_work:
                _run(trial, running, at_work, options)
    finally:
        if trial.problems or sys.exc_info()[0] is not None:
            print(f"The logs of all parts are in {folder}")
        else:
            shutil.rmtree(folder)
    return 1 if trial.problems else 0


def _run(trial: Trial, running: Cluster, at_work: Company, options: argparse.Namespace) -> None:
    trial.tell("the company is founded, and all parts of the bot are ready; the load begins")
    scene = faults.Scene(running, at_work, trial.tell)
    load = Load(at_work, options.seed)
    time.sleep(CALM_SECONDS)
    trial.weigh(at_work, "at the start")
    for number, fault in enumerate(_chosen(options, time.monotonic() + 60 * options.minutes)):
        _suffer(trial, scene, load, fault)
        if number % 4 == 1:
            trial.weigh(at_work, f"after {len(trial.faults)} faults")
    trial.weigh(at_work, "at the end")
    trial.tell("the load ends; what it began is finished, decided and delivered")
    load.end()
    checks.settle(load)
    trial.problems += checks.problems(load)
    _summarise(trial, load)
    print(checks.command(at_work, "doctor"))
    missing = checks.lost(at_work, load.book)
    print(f"Acknowledged events: {len(load.book.taken):,}; lost of them: {len(missing):,}")
    for problem in trial.problems:
        print(f"WRONG  {problem}")
    if not trial.problems:
        print(
            "Nothing that was acknowledged is lost, nothing is there twice, every message arrived once, verify is clean"
        )


def _chosen(options: argparse.Namespace, end: float) -> Iterator[Fault]:
    """Each once; or some, drawn until the time is over, and none again before all the others."""
    possible = [fault for fault in faults.FAULTS if options.only in fault.says]
    if not machines.are_namespaces():
        possible = [fault for fault in possible if not fault.needs_namespaces]
    if not options.minutes:
        yield from possible
        return
    chance = random.Random(options.seed)
    while True:
        for fault in chance.sample(possible, len(possible)):
            if time.monotonic() > end:
                return
            yield fault


def _suffer(trial: Trial, scene: Scene, load: Load, fault: Fault) -> None:
    """Let it happen, wait until all is whole again, and tell how long nothing was acknowledged."""
    begun = time.monotonic()
    trial.tell(f"{fault.says}; {scene.cluster.primary().machine.name} leads")
    fault.happens(scene)
    scene.cluster.wait_until_whole()
    whole = time.monotonic() - begun
    time.sleep(CALM_SECONDS)
    ended = time.monotonic()
    writes, reads = (load.book.longest_without(kinds, begun - 1, ended) for kinds in (WRITES, READS))
    trial.faults.append(Told(fault.says, writes, reads, whole))
    trial.tell(f"{writes:.1f} s without a write, {reads:.1f} s without a balance; whole after {whole:.0f} s")


def _summarise(trial: Trial, load: Load) -> None:
    print(f"\n{'Seconds without':>28}\n{'writes':>8}{'balances':>10}{'whole':>8}  fault")
    for told in trial.faults:
        print(f"{told.writes:8.1f}{told.reads:10.1f}{told.whole:8.0f}  {told.fault}")
    print("\nAnswers")
    print("\n".join(_columns(load.book.answers.items())))
    print("\nLogged as errors")
    print("\n".join(_columns(checks.logged(load.company).items())))
    print(f"\nMessages that arrived: {checks.arrived(load.company):,}\n")


def _columns(counted: Iterable[tuple[str, int]]) -> Iterator[str]:
    return (f"{count:10,}  {what}" for what, count in sorted(counted))


if __name__ == "__main__":
    sys.exit(main())
