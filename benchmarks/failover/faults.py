"""What goes wrong in mid-load, each mended in the end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.failover.machines import waited

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.failover.cluster import Cluster, Node
    from benchmarks.failover.company import Company

TAKE_OVER_SECONDS = 120
NOTICED_SECONDS = 10
"""After which Patroni has seen what happened."""
CUT_SECONDS = 60
"""Longer than the lease of the lock, so that the other node takes over."""


@dataclass(frozen=True)
class Scene:
    """What can go wrong, and where it is told."""

    cluster: Cluster
    company: Company
    tell: Callable[[str], None]


@dataclass(frozen=True)
class Fault:
    says: str
    happens: Callable[[Scene], None]
    needs_namespaces: bool = False


def _kill_primary(scene: Scene) -> None:
    lost = scene.cluster.primary()
    lost.lose_power()
    _taken_over(scene, lost)
    lost.patroni.start()


def _kill_patroni(scene: Scene) -> None:
    """Its PostgreSQL goes on as a primary that nobody renews."""
    lost = scene.cluster.primary()
    lost.patroni.kill()
    _taken_over(scene, lost)
    lost.patroni.start()


def _kill_postgres(scene: Scene) -> None:
    """Patroni starts it again, or hands over."""
    scene.cluster.primary().lose_postgres()
    time.sleep(NOTICED_SECONDS)


def _switch_over(scene: Scene) -> None:
    leader, other = scene.cluster.primary(), scene.cluster.standby()
    said = leader.ask("/switchover", leader=leader.machine.name, candidate=other.machine.name)
    scene.tell(f"Patroni says: {said['said'] if said else 'nothing'}")


def _cut_off(scene: Scene) -> None:
    lost = scene.cluster.primary()
    lost.machine.link("down")
    begun = time.monotonic()
    _taken_over(scene, lost)
    time.sleep(max(begun + CUT_SECONDS - time.monotonic(), 0))
    lost.machine.link("up")
    scene.tell(f"{lost.machine.name} is on the network again")


def _kill_standby(scene: Scene) -> None:
    """Commits wait for it until Patroni goes on without."""
    lost = scene.cluster.standby()
    lost.lose_power()
    time.sleep(30)
    lost.patroni.start()


def _taken_over(scene: Scene, lost: Node) -> None:
    def leads() -> bool:
        return any(m["role"] == "leader" and m["name"] != lost.machine.name for m in scene.cluster.members())

    seconds = waited("the other node leads", TAKE_OVER_SECONDS, leads)
    scene.tell(f"the other node leads after {seconds:.0f} s")


def _restart_haproxy(scene: Scene) -> None:
    scene.cluster.haproxy.kill()
    time.sleep(1)
    scene.cluster.haproxy.start()


def _restart_pgbouncer(scene: Scene) -> None:
    scene.cluster.pgbouncer.kill()
    time.sleep(1)
    scene.cluster.pgbouncer.start()


def _restart_etcd(scene: Scene) -> None:
    scene.cluster.etcd.kill()
    time.sleep(3)
    scene.cluster.etcd.start()


def _kill_bots(scene: Scene) -> None:
    """Never the first of each: their memory is watched."""
    killed = [scene.company.bots["http 2"], scene.company.bots["courier 2"]]
    for bot in killed:
        bot.kill()
    time.sleep(2)
    for bot in killed:
        bot.start()
    for bot in killed:
        bot.wait_until_ready()


FAULTS = (
    Fault("the primary's PostgreSQL and Patroni are killed", _kill_primary),
    Fault("switchover by Patroni's REST", _switch_over),
    Fault("the primary is cut off the network for a minute", _cut_off, needs_namespaces=True),
    Fault("HAProxy is killed, and started after a second", _restart_haproxy),
    Fault("PgBouncer is killed, and started after a second", _restart_pgbouncer),
    Fault("the primary's PostgreSQL alone is killed", _kill_postgres),
    Fault("the primary's Patroni alone is killed", _kill_patroni),
    Fault("the standby's PostgreSQL and Patroni are killed for half a minute", _kill_standby),
    Fault("etcd is killed, and started after three seconds", _restart_etcd),
    Fault("one HTTP replica and one courier are killed, and started after two seconds", _kill_bots),
)
