"""Watches the statements of transactions on PostgreSQL: one that takes a lock out of order raises."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

import sqlalchemy as sa

from store import bulk
from store.locks import ORDER, Lock

if TYPE_CHECKING:
    from store.engine import Database, Session

ROWS = re.compile(r"FROM (\w+).* FOR (?:NO KEY )?UPDATE(?: OF (\w+))?$", re.DOTALL)
"""Those that are taken with SKIP LOCKED wait for no one."""
_watched: WeakSet[sa.Engine] = WeakSet()
_held: WeakKeyDictionary[Session, set[str]] = WeakKeyDictionary()
_before: WeakKeyDictionary[Session, list[set[str]]] = WeakKeyDictionary()
"""What was held at each open savepoint: locks that are taken after one end when it is rolled back."""


def watch(database: Database) -> None:
    """From now on. Each transaction is to be one use case: several in one take the audit log's lock in between."""
    if database.dialect == "postgresql":
        _watched.add(database.writer)
        sa.event.listen(database.writer, "before_cursor_execute", _check)
        sa.event.listen(database.writer, "savepoint", _remember)
        sa.event.listen(database.writer, "rollback_savepoint", _go_back)
        sa.event.listen(database.writer, "release_savepoint", _go_on)


_run = bulk._run


def _run_watched(session: Session, text: str, values: Any, *, each: bool = False) -> Any:  # noqa: ANN401 - the driver's own
    """Prepared statements go to the driver at once, where SQLAlchemy's events do not see them."""
    if session.engine in _watched:
        _check(session, None, text, values)
    return _run(session, text, values, each=each)


bulk._run = _run_watched


def _remember(session: Session, _name: object) -> None:
    _before.setdefault(session, []).append(set(_held.get(session, ())))


def _go_back(session: Session, _name: object, _context: object) -> None:
    _held[session] = _before[session].pop()


def _go_on(session: Session, _name: object, _context: object) -> None:
    _before[session].pop()


def _check(session: Session, _cursor: object, statement: str, values: Any, *_: object) -> None:  # noqa: ANN401
    lock = _taken(statement, values)
    if lock is None:
        return
    held = _held.setdefault(session, set())
    later = [other for other in ORDER[ORDER.index(lock) + 1 :] if other in held]
    assert lock in held or not later, f"{lock} is taken after {later}: see store/locks.py"
    held.add(lock)


def _taken(statement: str, values: Any) -> str | None:  # noqa: ANN401 - what the driver takes
    if "pg_advisory_xact_lock" in statement:
        return "sources" if "hashtextextended" in statement else Lock(values[0]).name.lower()
    if statement.startswith("INSERT INTO runs "):
        return "runs"
    rows = ROWS.search(statement)
    return rows[2] or rows[1] if rows else None
