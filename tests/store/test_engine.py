"""Connections are what the ledger relies on: one writer at a time, foreign keys, durable commits, plain snapshots."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

import store
from store.engine import DatabaseUrlError, open_database
from store.tables.handbook import programme
from store.tables.people import identities

if TYPE_CHECKING:
    from programme.app import App
    from store.engine import Session

pytestmark = pytest.mark.every_database

ROOT = Path(store.__file__).parents[1]
PACKAGES = ("bot", "handlers", "policy", "programme", "sandbox", "scheduler", "store", "templates", "views")


def note(session: Session, key: str) -> None:
    session.execute(sa.insert(programme).values(key=key, value="x"))


def noted(session: Session, key: str) -> bool:
    return session.execute(sa.select(programme.c.value).where(programme.c.key == key)).first() is not None


def pragma(session: Session, name: str) -> object:
    value: object = session.exec_driver_sql(f"PRAGMA {name}").scalar_one()
    return value


def test_a_transaction_commits_at_the_end_of_its_block(app: App) -> None:
    """What a block wrote is there for everyone after it, and not before."""
    with app.database.transaction() as session:
        note(session, "fact")
        with app.database.reading() as reader:
            assert not noted(reader, "fact")
    with app.database.reading() as reader:
        assert noted(reader, "fact")


def test_a_transaction_that_raises_leaves_nothing(app: App) -> None:
    """A block that fails takes back what it wrote, and the next one works."""

    def fail() -> None:
        with app.database.transaction() as session:
            note(session, "fact")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    with app.database.transaction() as session:
        assert not noted(session, "fact")
        note(session, "fact")


def test_a_snapshot_sees_one_state_and_ends_with_its_block(app: App) -> None:
    """A snapshot does not see what is committed meanwhile; after it the same connection does."""
    with app.database.snapshot() as snapshot:
        assert not noted(snapshot, "fact")
        with app.database.transaction() as session:
            note(session, "fact")
        assert not noted(snapshot, "fact")
    with app.database.reading() as reader:
        assert noted(reader, "fact")


def test_a_snapshot_that_raises_gives_its_connection_back_clean(app: App) -> None:
    """After a failed snapshot the reader is on the newest state again."""

    def fail() -> None:
        with app.database.snapshot() as snapshot:
            assert not noted(snapshot, "fact")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    with app.database.transaction() as session:
        note(session, "fact")
    with app.database.reading() as reader:
        assert noted(reader, "fact")


def test_a_row_needs_its_parent(app: App) -> None:
    """Foreign keys hold on both databases, though SQLite ignores them unless told."""
    orphan = sa.insert(identities).values(source="*", kind="user", value="x", person_id="per_nobody")
    with pytest.raises(sa.exc.IntegrityError), app.database.transaction() as session:
        session.execute(orphan)


def test_a_writer_on_sqlite_takes_the_write_lock_at_the_beginning(sqlite_app: App) -> None:
    """What a transaction reads before it writes cannot change under it: a second writer is kept out from the start."""
    with sqlite_app.transaction(), sqlite_app.database.reading() as other:
        other.exec_driver_sql("PRAGMA busy_timeout = 1")
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            other.exec_driver_sql("BEGIN IMMEDIATE")


def test_threads_that_write_to_sqlite_take_turns(sqlite_app: App) -> None:
    """None of them finds the database busy, even if nobody may wait for it."""
    database = open_database(str(sqlite_app.database.writer.url))
    sa.event.listen(database.writer, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 0"))

    def write(key: int) -> None:
        with database.transaction() as session:
            note(session, f"fact {key}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(80)))
    with database.reading() as reader:
        assert all(noted(reader, f"fact {key}") for key in range(80))
    database.close()


def test_readers_on_sqlite_are_not_held_up_by_a_writer(sqlite_app: App) -> None:
    """With a write-ahead log a balance is answered while a batch is being posted."""
    with sqlite_app.database.transaction() as session:
        note(session, "fact")
        with sqlite_app.database.reading() as reader:
            reader.exec_driver_sql("PRAGMA busy_timeout = 1")
            assert not noted(reader, "fact")


def test_sqlite_is_durable_and_patient(sqlite_app: App) -> None:
    """Every connection has a write-ahead log, full syncing, foreign keys, and waits for its turn."""
    full = 2
    for engine in (sqlite_app.database.writer, sqlite_app.database.reader):
        with engine.connect() as session:
            assert pragma(session, "journal_mode") == "wal"
            assert pragma(session, "synchronous") == full
            assert pragma(session, "foreign_keys") == 1
            assert pragma(session, "busy_timeout") == 30_000


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///"])
def test_a_ledger_in_memory_is_refused(url: str) -> None:
    """A database that would be gone with the process is no place for a ledger."""
    with pytest.raises(DatabaseUrlError, match="must name a file"):
        open_database(url)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("tokens.db", "is not a URL such as sqlite:///var/tokens.db"),
        ("", "is not a URL such as sqlite:///var/tokens.db"),
        ("postgresql://bot:secret@host:port/tokens", "is not a URL such as sqlite:///var/tokens.db"),
        ("mysql://host/tokens", "is of mysql; use SQLite or PostgreSQL"),
    ],
)
def test_a_url_of_no_use_is_refused_without_its_text(url: str, complaint: str) -> None:
    """What cannot be parsed, and what is no database of ours, is refused by the variable: its text may be a secret."""
    with pytest.raises(DatabaseUrlError) as refused:
        open_database(url)
    assert str(refused.value) == f"TOKENS_DATABASE_URL {complaint}"


def test_a_postgresql_url_may_name_any_driver(cloned_postgres_url: str) -> None:
    """`postgresql://`, as every provider prints it, is opened with the driver that we ship."""
    plain = cloned_postgres_url.replace("postgresql+psycopg://", "postgresql://")
    database = open_database(plain)
    with database.reading() as session:
        assert session.exec_driver_sql("SELECT 1").scalar_one() == 1
    database.close()


def test_opening_makes_the_folder_but_no_tables(tmp_path: Path) -> None:
    """A SQLite file may lie in a folder that does not exist yet; its tables are for migrations."""
    database = open_database(f"sqlite:///{tmp_path}/var/deep/tokens.db")
    with database.reading() as session:
        assert sa.inspect(session).get_table_names() == []
    database.close()
    assert (tmp_path / "var" / "deep" / "tokens.db").exists()


def test_nobody_commits_but_the_engine() -> None:
    """Transactions end where the edge's block ends: no other module of ours commits."""
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert len(sources) > len(PACKAGES)
    committing = [str(p.relative_to(ROOT)) for p in sources if ".commit(" in p.read_text(encoding="utf-8")]
    assert [name for name in committing if name != "store/engine.py"] == []


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask, no one else on the machine reads the ledger or what SQLite keeps beside it."""
    umask = os.umask(0)
    try:
        database = open_database(f"sqlite:///{tmp_path / 'tokens.db'}")
        with database.transaction() as session:
            session.exec_driver_sql("CREATE TABLE t (x)")
        modes = {path.name: mode(path) for path in tmp_path.iterdir()}
        database.close()
    finally:
        os.umask(umask)
    assert modes == dict.fromkeys(("tokens.db", "tokens.db-wal", "tokens.db-shm"), 0o600)


def test_a_file_from_before_is_closed_to_others(tmp_path: Path) -> None:
    """A file that others could read, with what lay beside it, is its owner's alone once it was opened."""
    files = [tmp_path / name for name in ("tokens.db", "tokens.db-wal", "tokens.db-shm")]
    for path in files:
        path.touch()
        path.chmod(0o644)
    open_database(f"sqlite:///{files[0]}").close()
    assert [mode(path) for path in files] == [0o600, 0o600, 0o600]
