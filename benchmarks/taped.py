"""What the database driver was told, so that the same can be run once more through the driver alone.

A tape belongs to an engine: from then on each of its connections writes down every statement with its values, which
takes a microsecond, and what ends a transaction. `Twin` runs that on a copy of the first database: it
does the same work on the same rows, with nothing of ours and nothing of SQLAlchemy's around it.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from store.engine import Database

Told = tuple[str, str, Any]
"""execute, executemany, copy, or commit; the statement; its values."""


class Tape:
    """What an engine's connections told their driver since `take` was called last."""

    def __init__(self) -> None:
        self.told: list[Told] = []

    def take(self) -> list[Told]:
        taken, self.told = self.told, []
        return taken


def on(database: Database) -> Tape:
    """A tape of what is written from now on."""
    tape = Tape()
    database.writer.dispose()
    if database.dialect == "sqlite":
        sa.event.listen(database.writer, "do_connect", _sqlite(tape))
    else:
        sa.event.listen(database.writer, "connect", _postgresql(tape))
    sa.event.listen(database.writer, "commit", lambda _: tape.told.append(("commit", "", None)))
    return tape


def _sqlite(tape: Tape) -> Callable[..., sqlite3.Connection]:
    class Cursor(sqlite3.Cursor):
        def execute(self, statement: str, values: Any = ()) -> Cursor:  # noqa: ANN401 - the driver's
            tape.told.append(("execute", statement, values))
            super().execute(statement, values)
            return self

        def executemany(self, statement: str, rows: Any) -> Cursor:  # noqa: ANN401 - the driver's
            tape.told.append(("executemany", statement, rows))
            super().executemany(statement, rows)
            return self

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:  # noqa: ANN401 - the driver's
            return super().cursor(factory)

        def execute(self, statement: str, values: Any = ()) -> Any:  # noqa: ANN401 - the driver's
            return self.cursor().execute(statement, values)

    def connect(_dialect: object, _record: object, arguments: Any, named: Any) -> sqlite3.Connection:  # noqa: ANN401
        return sqlite3.connect(*arguments, **named, factory=Connection)

    return connect


def _postgresql(tape: Tape) -> Callable[[Any, object], None]:
    class Cursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **more: Any) -> Cursor:  # noqa: ANN401 - the driver's
            if query != PING:
                tape.told.append(("execute", query, params))
            super().execute(query, params, **more)
            return self

        def executemany(self, query: Any, params_seq: Any, **more: Any) -> None:  # noqa: ANN401 - the driver's
            tape.told.append(("executemany", query, params_seq))
            super().executemany(query, params_seq, **more)

        def copy(self, statement: Any, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - the driver's
            raise NotImplementedError("no call has rows enough for COPY")

    def connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
        connection.cursor_factory = Cursor

    return connected


PING = ";"
"""With it SQLAlchemy's pool finds out whether a connection is alive: the bare driver asks nothing."""


class Twin:
    """A database that does what was told to another one, through the driver alone."""

    def __init__(self, database: Database) -> None:
        self._session = database.writer.raw_connection()
        driver: Any = self._session.driver_connection
        driver.rollback()
        self._driver = driver

    def repeat(self, told: Sequence[Told]) -> None:
        driver = self._driver
        for how, statement, values in told:
            if how == "execute":
                cursor = driver.execute(statement, values) if values is not None else driver.execute(statement)
                if cursor.description is not None:
                    cursor.fetchall()
            elif how == "executemany":
                driver.cursor().executemany(statement, values)
            else:
                driver.commit()

    def close(self) -> None:
        self._session.close()
