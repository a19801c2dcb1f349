"""A cluster as `deploy/failover` has it: etcd, two PostgreSQL nodes under Patroni, HAProxy and PgBouncer."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import string
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg

from benchmarks.failover import machines
from benchmarks.failover.machines import Machine, Service, waited

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[2] / "deploy" / "failover"
PACKAGES = {
    "etcd": "etcd-server",
    "patroni": "patroni",
    "haproxy": "haproxy",
    "pgbouncer": "pgbouncer",
    "ip": "iproute2",
}
"""What Debian calls what we need."""
SBIN = ("/usr/sbin", "/sbin", "/usr/local/sbin")
NODES = ("pg1", "pg2")
START_SECONDS, WHOLE_SECONDS, ASK_SECONDS = 300, 300, 2
DATABASE = "tokens"


def missing() -> list[str]:
    """What this machine lacks, by package."""
    lacking = [package for program, package in PACKAGES.items() if not _found(program)]
    return lacking if _binaries() else [*lacking, "postgresql"]


def _found(program: str) -> str | None:
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), *SBIN]))


def _binaries() -> Path | None:
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name))


@dataclass(frozen=True)
class Node:
    """A PostgreSQL and the Patroni that looks after it."""

    machine: Machine
    patroni: Service
    data: Path

    def lose_power(self) -> None:
        """Both end at once, as if the machine did."""
        self.patroni.kill()
        self.lose_postgres()

    def lose_postgres(self) -> None:
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((self.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def ask(self, path: str, **body: str) -> dict[str, Any] | None:
        """What Patroni answers; None where it does not."""
        url = f"http://{self.machine.address}:8008{path}"
        with suppress(httpx.HTTPError), httpx.Client(trust_env=False, timeout=ASK_SECONDS) as client:
            answer = client.post(url, json=body, timeout=WHOLE_SECONDS) if body else client.get(url)
            answered: dict[str, Any] = {"said": answer.text} if body else answer.json()
            return answered
        return None


@dataclass(frozen=True)
class Cluster:
    """All of its parts, and where the bot finds it."""

    etcd: Service
    nodes: dict[str, Node]
    haproxy: Service
    pgbouncer: Service
    addresses: dict[str, str]
    password: str
    folder: Path
    synchronous: bool

    @property
    def pooled_url(self) -> str:
        return f"{self._url('pgbouncer', 6432)}?pooler=transaction"

    @property
    def primary_url(self) -> str:
        """Past the pooler."""
        return f"{self._url('haproxy', 5000)}?connect_timeout=5"

    @property
    def copy_url(self) -> str:
        return self._url("haproxy", 5001)

    def _url(self, name: str, port: int, user: str = DATABASE, database: str = DATABASE) -> str:
        return f"postgresql://{user}:{self.password}@{self.addresses[name]}:{port}/{database}"

    def members(self) -> list[dict[str, Any]]:
        answers = [node.ask("/cluster") for node in self.nodes.values() if node.patroni.is_running]
        return max((answer["members"] for answer in answers if answer), key=len, default=[])

    def primary(self) -> Node:
        [name] = [one["name"] for one in self.members() if one["role"] == "leader"]
        return self.nodes[name]

    def standby(self) -> Node:
        primary = self.primary().machine.name
        [other] = [node for name, node in self.nodes.items() if name != primary]
        return other

    def is_whole(self) -> bool:
        """Whether one leads, the other streams, and HAProxy knows."""
        follower = "sync_standby" if self.synchronous else "replica"
        members = self.members()
        states = {one["role"]: one["state"] for one in members}
        lags = [one.get("lag", 0) for one in members]
        well = set(states) == {"leader", follower} and set(states.values()) <= {"running", "streaming"}
        return well and lags == [0, 0] and self._streams()

    def _streams(self) -> bool:
        """What the primary says of its standby: Patroni tells what it knew some seconds ago."""
        query = "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'"
        try:
            with psycopg.connect(self.administration_url, connect_timeout=ASK_SECONDS) as connection:
                found = [state for (state,) in connection.execute(query)]
        except psycopg.OperationalError:
            return False
        return found == ["sync" if self.synchronous else "async"]

    @property
    def administration_url(self) -> str:
        return self._url("haproxy", 5000, "postgres", "postgres")

    def wait_until_whole(self) -> float:
        return waited(f"the cluster is whole; it is {self.members()}", WHOLE_SECONDS, self.is_whole)


@contextmanager
def running(folder: Path, *, synchronous: bool) -> Iterator[Cluster]:
    """A cluster with an empty database of the bot's; all of it ends with the block."""
    password = secrets.token_hex(8)
    with machines.network(["etcd", *NODES, "haproxy", "pgbouncer"]) as at, ExitStack() as stack:
        cluster = _described(folder, at, password, synchronous=synchronous)
        parts = [cluster.etcd, *(node.patroni for node in cluster.nodes.values()), cluster.haproxy, cluster.pgbouncer]
        for part in parts:
            stack.callback(part.stop)
        cluster.etcd.start()
        cluster.haproxy.start()
        first, second = cluster.nodes.values()
        first.patroni.start()
        waited("the first node leads", START_SECONDS, lambda: any(m["role"] == "leader" for m in cluster.members()))
        second.patroni.start()
        cluster.wait_until_whole()
        _create_database(cluster)
        cluster.pgbouncer.start()
        yield cluster


def _described(folder: Path, at: dict[str, Machine], password: str, *, synchronous: bool) -> Cluster:
    addresses = {name: machine.address for name, machine in at.items()}
    network = f"{addresses['etcd'].rpartition('.')[0]}.0/24"
    words = addresses | {"password": password, "network": network, "binaries": str(_binaries())}
    words["etcd"] = f"{addresses['etcd']}:2379"

    def service(name: str, *command: str, file: str = "", change: tuple[str, str] = ("", "")) -> Service:
        home = _home(folder, name)
        configured = home / file
        if file:
            mine = words | {"name": name, "address": addresses[name], "folder": str(home)}
            text = string.Template((EXAMPLES / file).read_text()).substitute(mine)
            configured.write_text(text.replace(*change) if change[0] else text)
        program = _found(command[0])
        environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(home)}
        filled = [word.format(file=configured, home=home) for word in command[1:]]
        log = folder / f"{name}.log"
        return Service(at[name], [str(program), *filled], log, environ)

    client, peer = f"http://{words['etcd']}", f"http://{addresses['etcd']}:2380"
    etcd = ["--data-dir", "{home}/data", "--listen-client-urls", client, "--advertise-client-urls", client]
    etcd += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}"]
    mode = ("", "") if synchronous else ("synchronous_mode: true", "synchronous_mode: false")
    nodes = {
        name: Node(
            at[name],
            service(name, "patroni", "{file}", file="patroni.yml", change=mode),
            folder / name / "data",
        )
        for name in NODES
    }
    pgbouncer = service("pgbouncer", "pgbouncer", "{file}", file="pgbouncer.ini")
    (folder / "pgbouncer" / "userlist.txt").write_text(f'"{DATABASE}" "{password}"\n')
    return Cluster(
        service("etcd", "etcd", *etcd),
        nodes,
        service("haproxy", "haproxy", "-db", "-f", "{file}", file="haproxy.cfg"),
        pgbouncer,
        addresses,
        password,
        folder,
        synchronous,
    )


def _home(folder: Path, name: str) -> Path:
    """A folder of the part's own, which whoever runs it may write."""
    home = folder / name
    home.mkdir()
    if not os.geteuid():
        nobody = pwd.getpwnam("nobody")
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return home


def _create_database(cluster: Cluster) -> None:
    with psycopg.connect(cluster.administration_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {DATABASE} LOGIN PASSWORD '{cluster.password}'")
        connection.execute(f"CREATE DATABASE {DATABASE} OWNER {DATABASE}")
