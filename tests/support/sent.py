"""The statements that go to a database, whichever way they take."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from store import bulk

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from store.engine import Database


@contextmanager
def statements(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Those that are sent while the block runs, besides the one that begins a transaction."""
    sent: list[str] = []
    run = bulk._run

    def note(_session: object, _cursor: object, statement: str, *_: object) -> None:
        if statement != "BEGIN IMMEDIATE":
            sent.append(statement)

    def noted(session: Any, text: str, values: Any, *, each: bool = False) -> Any:  # noqa: ANN401 - the driver's own
        note(None, None, text)
        return run(session, text, values, each=each)

    with monkeypatch.context() as patched:
        # What goes past SQLAlchemy's cursor has no event.
        patched.setattr(bulk, "_run", noted)
        for engine in (database.writer, database.reader):
            sa.event.listen(engine, "before_cursor_execute", note)
        yield sent
        for engine in (database.writer, database.reader):
            sa.event.remove(engine, "before_cursor_execute", note)
