"""Watches the statements of transactions on PostgreSQL: one that takes a lock out of order raises."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from store.locks import ORDER, Lock

if TYPE_CHECKING:
    from store.engine import Database, Session

ROWS = re.compile(r"FROM (\w+).* FOR (?:NO KEY )?UPDATE(?: OF (\w+))?$", re.DOTALL)
"""Those that are taken with SKIP LOCKED wait for no one."""
_held: WeakKeyDictionary[Session, set[str]] = WeakKeyDictionary()


def watch(database: Database) -> None:
    """From now on. Each transaction is to be one use case: several in one take the audit log's lock in between."""
    if database.dialect == "postgresql":
        sa.event.listen(database.writer, "before_cursor_execute", _check)


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
