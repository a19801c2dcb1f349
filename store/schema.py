"""Bringing a database to the newest revision, and asking where it stands.

Alembic takes a seventh of a second to import, and only whoever changes tables needs it. Every process asks where the
database stands.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import sqlalchemy as sa

from store import locks
from store.locks import Lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alembic.config import Config

    from store.engine import Database, Session

_NAMED = re.compile(r'^(revision|down_revision) = (?:"(\w+)"|None)$', re.MULTILINE)
_PART = re.compile(r"usage_(events|ids)_\d+")
_version = sa.table("alembic_version", sa.column("version_num", sa.Text))


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(resources.files("store").joinpath("migrations")))
    return config


@cache
def _revisions() -> dict[str, str | None]:
    """Every revision of this version, and the one before it, as their files say."""
    folder = resources.files("store").joinpath("migrations", "versions")
    texts = [file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".py")]
    named = [{name: value or None for name, value in _NAMED.findall(text)} for text in texts]
    return {str(one["revision"]): one["down_revision"] for one in named if "revision" in one}


@cache
def head_revision() -> str:
    """The revision this version of the bot works with."""
    [head] = _revisions().keys() - _revisions().values()
    return head


def knows(revision: str) -> bool:
    """Whether a revision is this version's, or one before it."""
    return revision in _revisions()


def current_revision(session: Session) -> str | None:
    """The revision of a database; None for one without tables."""
    if not sa.inspect(session).has_table(_version.name):
        return None
    revision: str | None = session.execute(sa.select(_version.c.version_num)).scalar_one_or_none()
    return revision


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


def is_table(name: str | None, kind: str, _parents: object) -> bool:
    """What Alembic compares with our tables: parts of tables, which PostgreSQL lists beside them, are left out."""
    return kind != "table" or name is None or _PART.fullmatch(name) is None


def run(session: Session, *, on_applied: Callable[..., None] | None = None) -> None:
    """Apply every migration that is missing, in a transaction of the caller's; each is told when it is done."""
    from alembic import command  # noqa: PLC0415 - see above

    config = _config()
    config.attributes["connection"] = session
    config.attributes["on_version_apply"] = (on_applied,) if on_applied else ()
    command.upgrade(config, "head")
