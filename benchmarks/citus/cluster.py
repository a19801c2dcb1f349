"""A coordinator and two workers on this machine, and databases that are on all three of them."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from benchmarks.gateway.proxy import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

BINARIES = "TOKENS_CITUS_BINARIES"
"""The setting that names the folder of a PostgreSQL's programs, if not that of the `pg_config` that is found."""
WORKERS = 2
EXTENSIONS = ("citus", "pg_stat_statements")
START_SECONDS, CLONE_SECONDS, POLL_SECONDS = 60, 30, 0.05
TICKS = os.sysconf("SC_CLK_TCK")
OPTIONS = {
    "shared_preload_libraries": "citus,pg_stat_statements",
    "max_prepared_transactions": 200,
    "max_connections": 200,
    "max_worker_processes": 64,
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "wal_level": "logical",
    "citus.node_conninfo": "sslmode=disable",
    # What a worker prepared before it died is settled by the coordinator's daemon; a minute is its usual pace.
    "citus.recover_2pc_interval": "2s",
}


def binaries() -> Path | None:
    """Where a PostgreSQL with Citus is; None where this machine has none."""
    named = os.environ.get(BINARIES)
    config = Path(named) / "pg_config" if named else shutil.which("pg_config")
    if config is None or not Path(config).exists():
        return None
    bin_folder, shared = (
        Path(subprocess.run([config, f"--{what}"], check=True, capture_output=True, text=True).stdout.strip())
        for what in ("bindir", "sharedir")
    )
    there = (bin_folder / "postgres").exists() and (shared / "extension" / "citus.control").exists()
    return bin_folder if there else None


@dataclass(frozen=True)
class Node:
    """A PostgreSQL of the cluster, by its port on this machine."""

    port: int

    def ask(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        address = f"host=127.0.0.1 port={self.port} user=postgres dbname={database}"
        with psycopg.connect(address, autocommit=True, connect_timeout=2) as connection:
            # A database is created on each node by itself.
            connection.execute("SET citus.enable_create_database_propagation = off")
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


class Cluster:
    """A coordinator and its workers. A database has one name on each of them."""

    def __init__(self, *ports: int) -> None:
        self.nodes = [Node(port) for port in ports]
        self.coordinator, *self.workers = self.nodes

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.coordinator.port}/{database}"

    def create(self, database: str) -> None:
        for node in self.nodes:
            node.ask(f"CREATE DATABASE {database}")
            for extension in EXTENSIONS:
                node.ask(f"CREATE EXTENSION {extension}", database)
        self.coordinator.ask(f"SELECT citus_set_coordinator_host('127.0.0.1', {self.coordinator.port})", database)
        for worker in self.workers:
            self.coordinator.ask(f"SELECT citus_add_node('127.0.0.1', {worker.port})", database)
        self._settle(database)

    def clone(self, database: str, template: str) -> None:
        """A copy, shards and all: nodes know each other by address, and shards by names, which stay the same."""
        for node in self.nodes:
            _clone_on(node, database, template)
        self._settle(database)

    def drop(self, database: str) -> None:
        for node in self.nodes:
            node.ask(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def _settle(self, database: str) -> None:
        # One connection to each worker is one transaction to prepare there; Citus would open one for every shard.
        self.coordinator.ask(f"ALTER DATABASE {database} SET citus.max_adaptive_executor_pool_size = 1")


def _clone_on(node: Node, database: str, template: str) -> None:
    deadline = time.monotonic() + CLONE_SECONDS
    while True:
        # Citus's daemon of the template comes back by itself.
        node.ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{template}'")
        try:
            node.ask(f"CREATE DATABASE {database} TEMPLATE {template}")
        except psycopg.errors.ObjectInUse:
            if time.monotonic() > deadline:
                raise
        else:
            return


class Server:
    """The processes of a node; root runs them as `nobody`, since PostgreSQL refuses root."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.node = Node(free_port())
        self._programs, self._folder, self._data = programs, folder, folder / str(self.node.port)
        self._process: subprocess.Popen[bytes] | None = None
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        command: list[str | Path] = [programs / "initdb", "-D", self._data, *options]
        subprocess.run(command, check=True, capture_output=True, **self._as_whom())

    def _as_whom(self) -> dict[str, Any]:
        whom: dict[str, Any] = {"cwd": self._folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            whom |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        return whom

    def start(self) -> None:
        command: list[str | Path] = [self._programs / "postgres", "-D", self._data, "-p", str(self.node.port)]
        command += ["-k", self._folder, "-h", "127.0.0.1"]
        for name, value in OPTIONS.items():
            command += ["-c", f"{name}={value}"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._as_whom())
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if not self.is_running or time.monotonic() > deadline:
                raise RuntimeError((self._folder / "log").read_text(errors="replace")[-2_000:])
            time.sleep(POLL_SECONDS)

    def _answers(self) -> bool:
        try:
            self.node.ask("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """All of its processes at once, as when a machine loses its power."""
        for pid in self._processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(START_SECONDS)

    def stop(self) -> None:
        if self._process is not None and self.is_running:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(START_SECONDS)

    def processor_seconds(self) -> float:
        """What it has used since it was started, with whatever ran for it."""
        return sum(map(_seconds_of, self._processes()))

    def _processes(self) -> list[int]:
        if self._process is None:
            return []
        command = ["ps", "-o", "pid=", "--ppid", str(self._process.pid)]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        return [self._process.pid, *map(int, found.stdout.split())]


def _seconds_of(pid: int) -> float:
    """Of a process and of the children that it has buried."""
    with suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        return sum(map(int, fields[11:15])) / TICKS
    return 0.0


@contextmanager
def running(programs: Path, folder: Path) -> Iterator[list[Server]]:
    """The servers of a cluster, the coordinator's first; they are ended afterwards."""
    folder.chmod(0o755)
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    servers = [Server(programs, folder) for _ in range(1 + WORKERS)]
    try:
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in servers:
            server.stop()
