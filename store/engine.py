"""Connections and transactions: the one place that begins, commits and rolls back.

A `Session` is a SQLAlchemy Core connection with an open transaction (docs/decisions/0003). Writers take SQLite's write
lock at the beginning (`BEGIN IMMEDIATE`), so what they read is what they change. Readers run on an autocommit engine:
each statement is its own snapshot and costs one round trip.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from store import digests, losses
from store.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator

Session = sa.Connection
"""A connection inside a transaction that the edge began."""

BUSY_TIMEOUT_MS = 30_000
WRITERS = 15
"""Connections to PostgreSQL that a process writes by, and keeps: to open one takes longer than a call's hold."""
PAGE_CACHE_KIB = 65_536
"""For each connection: room for the pages that a batch changes; the operating system keeps the rest at hand."""
PRIVATE, OTHERS = 0o600, 0o077
"""The mode of a file that its owner alone reads and writes; the bits of everyone else."""
POOLER, BY_TRANSACTION = "pooler", "transaction"
"""In a URL: between us and PostgreSQL stands something like PgBouncer in transaction mode."""
IDLE_SECONDS = 1.0
"""A connection that lay idle for longer is tried before it is used."""
COPY_SECONDS = 3
"""So long a copy may take to answer, before the database itself is asked."""
CHECKPOINT_PAGES = 16_384
"""64 MiB between WAL checkpoints: a page that several batches touch is copied back once."""


class DatabaseUrlError(ValueError):
    """TOKENS_DATABASE_URL names no database that we can use."""


@dataclass(frozen=True, slots=True)
class Database:
    """A writing and a reading engine on one database, and perhaps one on a copy of it (see `replication`)."""

    writer: sa.Engine
    reader: sa.Engine
    turns: Turns
    """Of the threads of this process that write."""
    copy: sa.Engine | None = None

    @property
    def dialect(self) -> str:
        return self.writer.dialect.name

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits at the end of the block, or rolls back when it raises."""
        with self.turns.one(), self.writer.begin() as session:
            yield session

    @contextmanager
    def undone(self) -> Iterator[Session]:
        """A session whose changes are taken back at the end of the block."""
        with self.turns.one(), self.writer.connect() as session, session.begin() as changes:
            yield session
            changes.rollback()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for statements that only read."""
        with self.reader.connect() as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A session that sees one state of the database throughout, and holds up no one."""
        with _snapshot(self.reader) as session:
            yield session

    @contextmanager
    def of_copy(self, *, throughout: bool) -> Iterator[Session]:
        """A session on the copy for statements that only read; with `throughout` it sees one state of it."""
        assert self.copy is not None  # noqa: S101 - whoever asks has looked
        with _snapshot(self.copy) if throughout else self.copy.connect() as session:
            yield session

    def close(self) -> None:
        for engine in (self.writer, self.reader, self.copy):
            if engine is not None:
                engine.dispose()


@contextmanager
def _snapshot(engine: sa.Engine) -> Iterator[Session]:
    with engine.connect() as session:
        if engine.dialect.name == "postgresql":
            session = session.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901 - the same one
            with session.begin():
                yield session
            return
        session.exec_driver_sql("BEGIN")
        try:
            yield session
        finally:
            session.exec_driver_sql("ROLLBACK")


def is_out_of_reach(error: Exception) -> bool:
    """Whether an error says that the database does not answer or is not ready, and nothing about what was asked."""
    if isinstance(error, sa.exc.IntegrityError | sa.exc.DataError):
        return False
    return isinstance(error, sa.exc.DBAPIError | sa.exc.TimeoutError)


def open_database(url: str, copy_url: str | None = None) -> Database:
    """Engines for a URL of SQLite or PostgreSQL; creates the folder of a SQLite file, never the tables.

    `copy_url` names a copy of a PostgreSQL, which reports are read from.
    """
    database = _open(_parsed("TOKENS_DATABASE_URL", url))
    if copy_url is None:
        return database
    parsed = _parsed("TOKENS_DATABASE_READ_URL", copy_url)
    if {database.dialect, parsed.get_backend_name()} != {"postgresql"}:
        raise DatabaseUrlError("TOKENS_DATABASE_READ_URL needs PostgreSQL there and in TOKENS_DATABASE_URL")
    # The second is for a machine that vanished: it would keep a question waiting for a quarter of an hour.
    patience = {"connect_timeout": str(COPY_SECONDS), "tcp_user_timeout": str(COPY_SECONDS * 1_000)}
    timely = parsed.update_query_dict(patience)
    return replace(database, copy=_open(timely).reader)


def _parsed(setting: str, url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        # The text may hold a password.
        raise DatabaseUrlError(f"{setting} is not a URL such as sqlite:///var/tokens.db") from error


def _open(parsed: sa.URL) -> Database:
    match parsed.get_backend_name():
        case "sqlite":
            return _open_sqlite(parsed)
        case "postgresql":
            return _open_postgresql(parsed.set(drivername="postgresql+psycopg"))
        case other:
            raise DatabaseUrlError(f"TOKENS_DATABASE_URL is of {other}; use SQLite or PostgreSQL")


def _open_sqlite(url: sa.URL) -> Database:
    if not url.database or url.database == ":memory:":
        raise DatabaseUrlError("TOKENS_DATABASE_URL must name a file: what is in memory does not survive a restart")
    path = Path(url.database)
    path.parent.mkdir(parents=True, exist_ok=True)
    _keep_private(path)
    writer = sa.create_engine(url)
    reader = sa.create_engine(url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None)
    for engine in (writer, reader):
        sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(writer, "begin", _begin_immediate)
    return Database(writer, reader, Turns(1, patience=BUSY_TIMEOUT_MS / 1_000))


def _keep_private(path: Path) -> None:
    """No one else on the machine may read or write the file; what SQLite puts beside it has the same mode.

    A file of another owner stays as it is: `doctor` tells.
    """
    with suppress(OSError):
        # Where that fails, SQLite says why when it connects.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE))
    for one in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with suppress(OSError):
            if one.stat().st_mode & OTHERS:
                one.chmod(PRIVATE)


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    # The driver's implicit BEGIN is deferred; we say BEGIN IMMEDIATE ourselves.
    connection.isolation_level = None
    connection.create_function(digests.FUNCTION, 2, digests.digest, deterministic=True)
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    _write_ahead(cursor)
    # FULL: an event that we answered "accepted" survives a power cut as well.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA cache_size = -{PAGE_CACHE_KIB}")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    cursor.close()


def _write_ahead(cursor: Any) -> None:  # noqa: ANN401 - the driver's own cursor
    """Switch a new file to WAL; SQLite does not wait for the one who is just doing the same, so we do."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1_000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _open_postgresql(url: sa.URL) -> Database:
    """Engines for a server, or for a pooler in front of it that lends a connection for a transaction.

    Behind such a pooler the next statement may reach another connection: nothing may be left on one.
    """
    pooler = url.query.get(POOLER)
    if pooler not in (None, BY_TRANSACTION):
        raise DatabaseUrlError(
            f"TOKENS_DATABASE_URL has {POOLER}={pooler}; the only pooler we know is {BY_TRANSACTION}"
        )
    url = url.difference_update_query([POOLER])
    kept: dict[str, Any] = {} if pooler is None else {"prepare_threshold": None}
    writer = sa.create_engine(url, pool_size=WRITERS, max_overflow=0, pool_pre_ping=True, connect_args=kept)
    reader = sa.create_engine(url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, connect_args=kept)
    for engine in (writer, reader):
        sa.event.listen(engine, "handle_error", losses.notice)
    _try_idle_first(reader)
    if pooler is None:
        sa.event.listen(reader, "connect", _keep_plans)
    return Database(writer, reader, Turns(WRITERS, patience=BUSY_TIMEOUT_MS / 1_000))


def _try_idle_first(engine: sa.Engine) -> None:
    """Ask nothing of a connection that lay idle before it has answered: a server may have gone away meanwhile.

    A ping each time, as writers have it, would double what a question costs.
    """

    def note(_connection: object, record: sa.pool.ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    def ping(connection: Any, record: sa.pool.ConnectionPoolEntry, _proxy: object) -> None:  # noqa: ANN401 - the driver's
        idle_since = record.info.get("idle_since")
        if idle_since is None or time.monotonic() - idle_since < IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.InvalidatePoolError from error

    sa.event.listen(engine, "checkin", note)
    sa.event.listen(engine, "checkout", ping)


def _keep_plans(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    # What a command reads is found by keys: planning it anew takes longer than running it.
    connection.execute("SET plan_cache_mode = force_generic_plan")
    connection.commit()
