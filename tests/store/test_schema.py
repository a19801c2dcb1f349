"""Migrations make the tables that the code knows, whole or not at all; instants stay instants."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta, timezone
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from programme.handbook import applying
from programme.moment import Moment
from scheduler import messages as composing
from store import schema
from store.engine import open_database
from store.ledger import recalls
from store.outbox import messages
from store.proof import handbook
from store.tables import metadata
from store.tables.handbook import handbooks
from store.tables.ledger import lots
from store.tables.outbox import outbox
from store.tables.people import people, reporting_lines
from tests.support import books, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from programme.app import App
    from store.engine import Database

pytestmark = pytest.mark.every_database

MIGRATION_SECONDS = 60
REPLICA = """
import sys
from store import schema
from store.engine import open_database

database = open_database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
schema.upgrade(database)
"""

BROKEN = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("half_done", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO programme (key, value) VALUES ('half', 'done')")
    op.execute("INSERT INTO no_such_table VALUES (1)")
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables."""
    if request.param == "sqlite":
        database = open_database(f"sqlite:///{tmp_path / 'empty.db'}")
        yield database
        database.close()
        return
    server = open_database(request.getfixturevalue("postgres_url"))
    name = f"empty_{uuid4().hex}"
    with server.reading() as session:
        session.exec_driver_sql(f"CREATE DATABASE {name}")
    url = server.writer.url.set(database=name).render_as_string(hide_password=False)
    database = open_database(url)
    yield database
    database.close()
    with server.reading() as session:
        session.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.close()


def broken_migrations(folder: Path) -> Config:
    """Our migrations and one more, which fails when it is half through."""
    script = folder / "migrations"
    shutil.copytree(Path(str(resources.files("store").joinpath("migrations"))), script)
    (script / "versions" / "9999_broken.py").write_text(BROKEN.format(before=schema.head_revision()))
    config = Config()
    config.set_main_option("script_location", str(script))
    return config


def test_the_newest_revision_is_the_one_that_alembic_finds(app: App) -> None:
    """It is read from the files without Alembic, and so is where a database stands."""
    script = ScriptDirectory(str(resources.files("store").joinpath("migrations")))
    known = {one.revision for one in script.walk_revisions()}
    assert schema.head_revision() == script.get_current_head()
    assert set(schema._revisions()) == known
    with app.database.reading() as session:
        assert MigrationContext.configure(session).get_current_revision() == schema.current_revision(session)


def test_migrations_make_the_tables_that_the_code_knows(app: App) -> None:
    """A migrated database and the metadata do not differ in a table, a column, a type, an index or a default."""
    with app.database.reading() as session:
        options = {"compare_type": True, "compare_server_default": True, "include_name": schema.is_table}
        context = MigrationContext.configure(session, opts=options)
        assert compare_metadata(context, metadata) == []


def test_a_database_knows_its_revision(empty_database: Database) -> None:
    """An empty database has no revision; a migrated one has this version's."""
    with empty_database.reading() as session:
        assert schema.current_revision(session) is None
    schema.upgrade(empty_database)
    with empty_database.reading() as session:
        assert schema.current_revision(session) == schema.head_revision()


def test_migrating_again_changes_nothing(app: App) -> None:
    """A replica that starts later finds nothing to do, and no one's tokens are touched."""
    cast.give(app, books.ADA, "100")
    before = books.rows(app, lots)
    schema.upgrade(app.database)
    schema.upgrade(app.database)
    assert books.rows(app, lots) == before
    assert not books.findings(app)


def test_replicas_that_start_together_migrate_once(empty_database: Database) -> None:
    """Two processes that migrate at the same moment do it one after the other, and both succeed."""
    url = empty_database.writer.url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        replicas = [
            stack.enter_context(
                subprocess.Popen([sys.executable, "-c", REPLICA, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            )
            for _ in range(2)
        ]
        for replica in replicas:
            stack.callback(replica.kill)
            assert replica.stdout is not None
            assert replica.stdout.readline() == b"ready\n"
        for replica in replicas:
            assert replica.stdin is not None
            replica.stdin.write(b"go\n")
            replica.stdin.flush()
        for replica in replicas:
            replica.wait(timeout=MIGRATION_SECONDS)
    assert [replica.returncode for replica in replicas] == [0, 0]
    with empty_database.reading() as session:
        assert schema.current_revision(session) == schema.head_revision()


def test_messages_that_are_owed_survive_an_update(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stood in the outbox before a migration that changes it stands there afterwards, and is delivered."""
    original = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, _: original(config, "0002"))
        schema.upgrade(empty_database)
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    with empty_database.transaction() as session:
        session.exec_driver_sql(
            "INSERT INTO outbox (key, template, view, channel, created_at, due_at, state) VALUES "
            "('old', 'grants/digest', '{}', 'C1', '2026-11-20 11:00:00', '2026-11-20 11:00:00', 'waiting')"
        )
    schema.upgrade(empty_database)
    with empty_database.transaction() as session:
        [row] = messages.lease(session, courier="c", now=now, until=now + timedelta(minutes=5), limit=9)
    assert (row.key, row.at_once, row.replaces, row.thread) == ("old", False, None, None)


def test_messages_keep_their_composers_when_topics_are_renamed(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every message of before names a template of now, and can be composed; taken back, each has its old name again."""
    of_before = {
        "appeals/card": "appeals/card",
        "fast_track/more_time": "exceptions/more_time",
        "grants/digest": "grants/digest",
        "policy/card": "handbook/card",
        "review/money": "reviews/money",
        "reports/weekly": "reports/weekly",
        "warnings/warning": "warnings/warning",
    }

    def templates() -> dict[str, str]:
        with empty_database.reading() as session:
            return dict(session.exec_driver_sql("SELECT key, template FROM outbox").fetchall())

    def move(run: Callable[[Config, str], None], revision: str) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(command, "upgrade", lambda config, _: run(config, revision))
            schema.upgrade(empty_database)

    upgrade, now = command.upgrade, datetime(2026, 11, 20, 12, tzinfo=UTC)
    move(upgrade, "0012")
    with empty_database.transaction() as session:
        for name in of_before:
            row = {"key": name, "template": name, "view": {}, "channel": "C1", "created_at": now, "due_at": now}
            session.execute(sa.insert(outbox).values(**row, state="waiting"))
    move(upgrade, "0013")
    assert templates() == of_before
    assert set(of_before.values()) <= composing.COMPOSERS.keys() | composing.LIVE.keys() | composing.PICTURED.keys()
    move(command.downgrade, "0012")
    assert templates() == {name: name for name in of_before}


def test_managers_of_before_are_on_record(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom people reported to when dates came into the ledger, they did since they were hired, until they left."""
    original = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, _: original(config, "0004"))
        schema.upgrade(empty_database)
    columns = [sa.column(c.name, c.type) for c in people.c if c.name != "fte_permille"]
    of_before = sa.table("people", *columns, sa.column("fte_permille", sa.SmallInteger))
    with empty_database.transaction() as session:
        for who, manager, left in (("m", None, None), ("a", "m", None), ("b", "m", date(2026, 5, 31))):
            row = {"id": who, "email": who, "name": who, "manager_id": manager, "level": "mid", "role_family": "e"}
            more = {"fte_permille": 1_000, "time_zone": "UTC", "hired_on": date(2026, 1, 1), "left_on": left}
            session.execute(sa.insert(of_before).values(**row, **more))
    schema.upgrade(empty_database)
    with empty_database.reading() as session:
        found = session.execute(sa.select(reporting_lines).order_by(*reporting_lines.primary_key)).all()
    assert [tuple(row) for row in found] == [
        ("a", date(2026, 1, 1), "m"),
        ("b", date(2026, 1, 1), "m"),
        ("b", date(2026, 6, 1), None),
    ]


def test_posts_of_before_are_what_they_were(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole thousandths stay those numbers when posts become exact, and when a database goes back."""
    original = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, _: original(config, "0013"))
        schema.upgrade(empty_database)
    told = "'p', 'p@example.com', 'P', 'mid', 'engineering', 625, 'UTC', '2026-01-01'"
    insert = (
        f"INSERT INTO people (id, email, name, level, role_family, fte_permille, time_zone, hired_on) VALUES ({told})"  # noqa: S608
    )
    with empty_database.transaction() as session:
        session.execute(sa.text(insert))
    schema.upgrade(empty_database)
    with empty_database.reading() as session:
        assert session.execute(sa.select(people.c.fte_permille)).scalar_one() == 625


def test_handbooks_of_before_needed_no_second_person(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one person applied before proposals were kept stays proved; what one applies alone afterwards is found."""
    original, now = command.upgrade, datetime(2026, 11, 20, 12, tzinfo=UTC)

    def apply(version: str) -> None:
        with empty_database.transaction() as session:
            text = books.handbook_text(version, date(2026, 12, 1))
            applying.apply(Moment(session, now, ZoneInfo("UTC")), text, actor="cli:ben")

    def found() -> list[str]:
        with empty_database.reading() as session:
            return list(handbook.handbooks_by_two(session))

    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, _: original(config, "0007"))
        schema.upgrade(empty_database)
    with monkeypatch.context() as patched:
        # There were no leases to recall then.
        patched.setattr(recalls, "of_everyone", lambda *_, **__: None)
        apply("2026.2")
        apply("2026.3")
    schema.upgrade(empty_database)
    assert found() == []
    apply("2026.4")
    assert found() == ["handbook 2026.4: cli:ben applied it, but no one else confirmed it"]


def test_a_failed_migration_leaves_nothing_behind(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that breaks in the middle takes back its tables, its rows and its revision."""
    config, head = broken_migrations(tmp_path), schema.head_revision()
    monkeypatch.setattr(schema, "_config", lambda: config)
    with pytest.raises(sa.exc.DBAPIError, match="no_such_table"):
        schema.upgrade(app.database)
    with app.database.reading() as session:
        assert schema.current_revision(session) == head
        assert "half_done" not in sa.inspect(session).get_table_names()
        assert session.exec_driver_sql("SELECT count(*) FROM programme WHERE key = 'half'").scalar_one() == 0


def test_sqlite_minds_its_foreign_keys_again_after_a_failed_migration(
    sqlite_app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Migrating switches the foreign keys off for its connection; they are on again whatever came of it."""
    config = broken_migrations(tmp_path)
    monkeypatch.setattr(schema, "_config", lambda: config)
    with pytest.raises(sa.exc.OperationalError):
        schema.upgrade(sqlite_app.database)
    with sqlite_app.database.writer.connect() as session:
        assert session.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1


def put_handbook(app: App, applied_at: datetime) -> None:
    statement = sa.insert(handbooks).values(
        version="x", effective_from=applied_at.date(), body="", applied_at=applied_at, applied_by="test"
    )
    with app.database.transaction() as session:
        session.execute(statement)


def test_a_naive_datetime_is_refused(app: App) -> None:
    """A time without a zone never reaches a table: no one could say when it was."""
    with pytest.raises(sa.exc.StatementError, match="has no time zone"):
        put_handbook(app, datetime(2026, 11, 20, 12, 0))  # noqa: DTZ001 - naive on purpose


@pytest.mark.parametrize(
    "instant",
    [
        datetime(2026, 11, 20, 12, 0, 0, 123_456, tzinfo=UTC),
        datetime(2026, 11, 20, 23, 30, tzinfo=timezone(timedelta(hours=-8))),
        datetime(2026, 11, 20, 0, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    ],
)
def test_an_instant_comes_back_as_the_same_instant_in_utc(app: App, instant: datetime) -> None:
    """Whatever its offset was, an instant comes back to the microsecond, aware and in UTC."""
    put_handbook(app, instant)
    [(back,)] = books.rows(app, sa.select(handbooks.c.applied_at).where(handbooks.c.version == "x"))
    assert back == instant
    assert back.tzinfo is UTC or back.utcoffset() == timedelta(0)


def test_instants_compare_in_sql_as_they_do_in_time(app: App) -> None:
    """A query bounded by instants means time, not text: offsets and fractions of a second do not mislead it."""
    put_handbook(app, datetime(2026, 11, 20, 12, 0, 0, 1, tzinfo=UTC))
    query = sa.select(handbooks.c.version).where(handbooks.c.version == "x")
    whole = datetime(2026, 11, 20, 13, 0, tzinfo=timezone(timedelta(hours=1)))
    assert books.rows(app, query.where(handbooks.c.applied_at > whole)) == [("x",)]
    assert books.rows(app, query.where(handbooks.c.applied_at <= whole)) == []
