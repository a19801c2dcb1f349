"""Bringing a database to the newest revision, and asking where it stands."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import resources
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from store import locks
from store.locks import Lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Database, Session


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files("store").joinpath("migrations")))
    return config


def head_revision() -> str:
    """The revision this version of the bot works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None  # noqa: S101 - the package contains its migrations
    return head


def knows(revision: str) -> bool:
    """Whether a revision is this version's, or one before it."""
    return revision in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def current_revision(session: Session) -> str | None:
    """The revision of a database; None for one without tables."""
    return MigrationContext.configure(session).get_current_revision()


def upgrade(database: Database) -> None:
    """Apply every migration that is missing, in one transaction."""
    with changing(database) as session:
        run(session)


@contextmanager
def changing(database: Database) -> Iterator[Session]:
    """A transaction in which tables may change; it commits at the end of the block."""
    if database.dialect == "sqlite":
        with _changing_sqlite(database) as session:
            yield session
        return
    with database.transaction() as session:
        locks.hold(session, Lock.MIGRATIONS)
        yield session


@contextmanager
def _changing_sqlite(database: Database) -> Iterator[Session]:
    # A migration that rebuilds a table must not trip over the rows that point at it; the pragma is ignored
    # inside a transaction, hence before it. The foreign keys are checked before the commit instead.
    with database.writer.connect() as session:
        driver = session.connection.driver_connection
        assert driver is not None  # noqa: S101 - the connection is open
        driver.execute("PRAGMA foreign_keys = OFF")
        try:
            with session.begin():
                yield session
                if broken := session.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
                    raise RuntimeError(f"the migration left rows without their parents: {broken[:5]}")
        finally:
            driver.execute("PRAGMA foreign_keys = ON")


def run(session: Session, *, on_applied: Callable[..., None] | None = None) -> None:
    """Apply every migration that is missing, in a transaction of the caller's; each is told when it is done."""
    config = _config()
    config.attributes["connection"] = session
    config.attributes["on_version_apply"] = (on_applied,) if on_applied else ()
    command.upgrade(config, "head")
