"""An upgrade that is tried before it is done: on a copy of the ledger, with what it takes and how long each step is."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bot import backups
from store import schema
from store.engine import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.settings import Settings
    from programme.app import App
    from store.engine import Session

PREFIX = ".rehearsal-"
SQLITE = "sqlite:///"


@dataclass(slots=True)
class Step:
    """A migration, and the seconds it took."""

    revision: str
    what: str
    seconds: float


@dataclass(slots=True)
class Rehearsal:
    """What an upgrade would do: the rows of each table before and after, and its steps."""

    revision: str | None
    steps: list[Step] = field(default_factory=list)
    before: Mapping[str, int] = field(default_factory=dict)
    after: Mapping[str, int] = field(default_factory=dict)
    _at: float = field(default_factory=time.monotonic)

    @property
    def lost(self) -> dict[str, tuple[int, int]]:
        """Tables that would have fewer rows than before, or be gone."""
        pairs = {name: (rows, self.after.get(name, 0)) for name, rows in self.before.items()}
        return {name: (rows, left) for name, (rows, left) in pairs.items() if left < rows}

    def note(self, *, step: Any, **_: object) -> None:  # noqa: ANN401 - Alembic's own
        now = time.monotonic()
        self.steps.append(Step(step.up_revision_id, step.up_revision.doc, now - self._at))
        self._at = now


def upgrade(app: App) -> Rehearsal:
    """Try every migration that is missing.

    On a copy of a SQLite file, beside it; on PostgreSQL in a transaction that is taken back, which holds what it
    touches for as long as it takes. A migration that fails raises what it would raise.
    """
    with _tried_on(app) as session:
        found = Rehearsal(schema.current_revision(session))
        found.before = backups.counts(session) if found.revision else {}
        schema.run(session, on_applied=found.note)
        found.after = backups.counts(session)
    return found


@contextmanager
def elsewhere(loaded: Settings) -> Iterator[Settings]:
    """Settings whose ledger is a SQLite file in a folder that is thrown away, beside the one that they name."""
    beside = Path(loaded.database_url.removeprefix(SQLITE)).parent
    with TemporaryDirectory(dir=beside if beside.is_dir() else None, prefix=PREFIX) as folder:
        yield replace(loaded, database_url=f"{SQLITE}{Path(folder).resolve()}/copy.db")


class _TakenBackError(Exception):
    """Ends a transaction without its changes."""


@contextmanager
def _tried_on(app: App) -> Iterator[Session]:
    if app.database.dialect != "sqlite":
        with suppress(_TakenBackError), schema.changing(app.database) as session:
            yield session
            raise _TakenBackError
        return
    file = Path(str(app.database.writer.url.database))
    with TemporaryDirectory(dir=file.parent, prefix=PREFIX) as folder:
        copied = Path(folder) / "copy.db"
        backups.copy_sqlite(file, copied)
        database = open_database(f"sqlite:///{copied}")
        try:
            with schema.changing(database) as session:
                yield session
        finally:
            database.close()
