"""A real PgBouncer in transaction mode, with fewer connections to the server than it has clients."""

from __future__ import annotations

import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterator

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
"""Of the distribution. Without one, tests behind it are skipped and say so; where a change is judged, they fail."""
PORT, START_SECONDS = 6432, 10
CONNECTIONS = 4
SETTINGS = f"""\
[databases]
* = host={{server}} user=postgres
[pgbouncer]
pool_mode = transaction
default_pool_size = {CONNECTIONS}
max_client_conn = 200
listen_port = {PORT}
unix_socket_dir = {{folder}}
auth_type = any
logfile = {{folder}}/log
pidfile = {{folder}}/pid
"""


@contextmanager
def before(url: str) -> Iterator[str]:
    """The URL of the same database by way of a pooler."""
    if PGBOUNCER is None and not os.environ.get("CI"):
        pytest.skip("no PgBouncer is installed: take the package `pgbouncer` of your distribution")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tokens-pooler-"))
    parsed = sa.make_url(url)
    (folder / "settings.ini").write_text(SETTINGS.format(server=parsed.query["host"], folder=folder))
    as_whom = {}
    if os.geteuid() == 0:
        # It refuses to be root.
        nobody = pwd.getpwnam("nobody")
        as_whom = {"user": nobody.pw_uid, "group": nobody.pw_gid}
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    process = subprocess.Popen([str(PGBOUNCER), "--quiet", str(folder / "settings.ini")], **as_whom)  # type: ignore[call-overload]
    try:
        _wait_until_up(folder)
        query = {"host": str(folder), "port": str(PORT), "pooler": "transaction"}
        yield parsed.set(query=query).render_as_string(hide_password=False)
    finally:
        process.terminate()
        process.wait(START_SECONDS)
        shutil.rmtree(folder)


def _wait_until_up(folder: pathlib.Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket(socket.AF_UNIX) as tried:
            if tried.connect_ex(str(folder / f".s.PGSQL.{PORT}")) == 0:
                return
        if time.monotonic() > deadline:
            raise RuntimeError((folder / "log").read_text())
        time.sleep(0.02)
