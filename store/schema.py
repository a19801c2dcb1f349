"""Bringing a database to the newest revision, and asking where it stands."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from store import locks
from store.locks import Lock

if TYPE_CHECKING:
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


def current_revision(session: Session) -> str | None:
    """The revision of a database; None for one without tables."""
    return MigrationContext.configure(session).get_current_revision()


def upgrade(database: Database) -> None:
    """Apply every migration that is missing, in one transaction."""
    if database.dialect == "sqlite":
        _upgrade_sqlite(database)
        return
    with database.transaction() as session:
        locks.hold(session, Lock.MIGRATIONS)
        _run(session)


def _upgrade_sqlite(database: Database) -> None:
    # A migration that rebuilds a table must not trip over the rows that point at it; the pragma is ignored
    # inside a transaction, hence before it. The foreign keys are checked before the commit instead.
    with database.writer.connect() as session:
        driver = session.connection.driver_connection
        assert driver is not None  # noqa: S101 - the connection is open
        driver.execute("PRAGMA foreign_keys = OFF")
        try:
            with session.begin():
                _run(session)
                if broken := session.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
                    raise RuntimeError(f"the migration left rows without their parents: {broken[:5]}")
        finally:
            driver.execute("PRAGMA foreign_keys = ON")


def _run(session: Session) -> None:
    config = _config()
    config.attributes["connection"] = session
    command.upgrade(config, "head")
