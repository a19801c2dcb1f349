"""Ledgers as earlier releases left them, with data in them, on each database."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from store import migrations, schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from store.engine import Database, Session

MOST_PARAMETERS = 60_000
RELEASES = Path(__file__).parent.parent / "data" / "releases"


def known() -> list[str]:
    return sorted(path.name.removesuffix(".sql.gz") for path in RELEASES.glob("*.sql.gz"))


def unpack(release: str, path: Path) -> None:
    """The ledger of a release as a SQLite file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as made:
        made.executescript(gzip.decompress((RELEASES / f"{release}.sql.gz").read_bytes()).decode())


def unpack_on_postgres(release: str, database: Database, path: Path) -> None:
    """The same ledger in an empty database: the tables by the release's own migrations, every row as it was."""
    unpack(release, path)
    with closing(sqlite3.connect(path)) as kept, schema.changing(database) as session:
        kept.row_factory = sqlite3.Row
        [(revision,)] = kept.execute("SELECT version_num FROM alembic_version")
        config = Config(attributes={"connection": session})
        config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
        command.upgrade(config, revision)
        tables = sa.MetaData()
        tables.reflect(session)
        for table in tables.sorted_tables:
            for column in table.c:
                if isinstance(column.type, sa.JSON):
                    column.type.none_as_null = True
            session.execute(sa.delete(table))
            rows = [_as_kept(table, row) for row in kept.execute(f"SELECT * FROM {table.name}")]  # noqa: S608 - ours
            at_once = MOST_PARAMETERS // len(table.c)
            for first in range(0, len(rows), at_once):  # Only after a statement do its rows have to find each other.
                session.execute(sa.insert(table).values(rows[first : first + at_once]))
            _count_on(session, table)


def _as_kept(table: sa.Table, row: sqlite3.Row) -> dict[str, Any]:
    """A row of SQLite's as PostgreSQL's types have it."""
    values = {key: row[key] for key in row.keys()}  # noqa: SIM118 - iterating over a row gives its values
    return {key: value if value is None else _read(table.c[key].type)(value) for key, value in values.items()}


def _read(type_: sa.types.TypeEngine[Any]) -> Callable[[Any], object]:
    if isinstance(type_, sa.DateTime):
        return lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC)
    for kind, read in ((sa.Date, date.fromisoformat), (sa.Boolean, bool), (sa.JSON, json.loads)):
        if isinstance(type_, kind):
            return read
    return lambda value: value


def _count_on(session: Session, table: sa.Table) -> None:
    """Numbers that the database hands out go on after those that are there."""
    for column in table.c:
        if sequence := session.scalar(sa.func.pg_get_serial_sequence(table.name, column.name)):
            highest = session.scalar(sa.select(sa.func.max(column)))
            session.scalar(sa.select(sa.func.setval(sequence, highest or 1, highest is not None)))
