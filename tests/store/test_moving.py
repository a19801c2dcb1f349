"""A ledger of before months comes into them while the version of before goes on writing to it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from click.testing import CliRunner

from bot import moving, wiring
from bot.cli import main
from policy.reasons import Refusal
from programme.app import App
from store import migrations, schema
from store.digests import A_MONTH
from store.engine import open_database
from store.migrations import months
from tests.conftest import ZONE
from tests.support import books, postgres, releases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.engine import Database
    from tests.support.clock import Clock

RELEASE, BEFORE = "0.1.0", "0057"
pytestmark = [pytest.mark.postgresql, pytest.mark.every_database]
EVENT = """INSERT INTO usage_events (source, event_id, fingerprint, occurred_at, identities, provider, model, tier,
meters, project, account_id, price_id, cost_nano_usd, debit_micro_tokens)
SELECT 'old', 'free-' || n, decode(md5(n::text), 'hex'), '2024-01-15Z'::timestamptz + n * interval '1 hour', '[]',
'none', 'none', '', '{}', '', (SELECT min(account_id) FROM usage_events WHERE account_id IS NOT NULL), NULL, NULL, NULL
FROM generate_series(%s::integer, %s::integer) n"""
MANY, KILLS = 20_000, 4


@pytest.fixture
def old(postgres_url: str, tmp_path: Path) -> Iterator[Database]:
    """The first release's ledger on PostgreSQL, as the last version before months left it."""
    name = f"old_{uuid4().hex}"
    postgres.administer(postgres_url, f"CREATE DATABASE {name}")
    database = open_database(postgres.in_database(postgres_url, name))
    releases.unpack_on_postgres(RELEASE, database, tmp_path / "kept.db")
    with schema.changing(database) as session:
        config = Config(attributes={"connection": session})
        config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
        command.upgrade(config, BEFORE)
    yield database
    database.close()
    postgres.administer(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


def add(database: Database, first: int, last: int) -> None:
    """What the version of before does: it writes events of two years ago."""
    with database.transaction() as session:
        session.exec_driver_sql(EVENT, (first, last))


def events(database: Database) -> list[Any]:
    with database.reading() as session:
        kept = f"SELECT {months.COLUMNS} FROM usage_events ORDER BY source, event_id"  # noqa: S608 - ours
        return list(session.exec_driver_sql(kept))


def migrated(database: Database, clock: Clock) -> App:
    app = App(database, ZONE, clock)
    wiring.migrate(app)
    wiring.require_ready(app)
    return app


def check_digests(app: App) -> None:
    """Everything is known, by its own number, and in its month."""
    found = books.findings(app)
    assert not found.keys() & {"events_by_digest", "rows_of_events", "events_of_entries"}, found
    with app.database.reading() as session:
        month = "SELECT count(*) FROM usage_events WHERE id / %s <> to_char(occurred_at, 'YYYYMM')::bigint"
        session.exec_driver_sql("SET TIME ZONE 'UTC'")
        assert session.exec_driver_sql(month, (A_MONTH,)).scalar_one() == 0


def test_events_are_copied_while_others_are_written(
    old: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is added or changed between batches, before its page was copied or after, is there as it is."""
    monkeypatch.setattr(months, "PAGES", 1)
    add(old, 1, 500)
    app = App(old, ZONE, clock)
    moves = []
    for number, moved in enumerate(moving.copy_ahead(app)):
        moves.append(moved)
        if number < 5:
            add(old, 1_000 + number * 100, 1_050 + number * 100)
            with old.transaction() as session:
                changed = "UPDATE usage_events SET tier = %s, revision = revision + 1 WHERE event_id LIKE %s"
                session.exec_driver_sql(changed, (f"tier {number}", f"free-%{number}"))
    assert moves[-1].is_done
    assert moves[-1].copied == len(events(old))
    add(old, 9_000, 9_010)
    before = events(old)
    app = migrated(old, clock)
    assert events(old) == before
    check_digests(app)


def test_a_batch_that_fails_is_done_again(old: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that was cut off in a batch leaves nothing of it, and goes on where the last whole one ended."""
    monkeypatch.setattr(months, "PAGES", 1)
    add(old, 1, 200)
    app, before = App(old, ZONE, clock), events(old)
    whole = next(moving.copy_ahead(app))
    with old.undone() as session:
        assert months.advance(session).copied > whole.copied
    again = next(moving.copy_ahead(app))
    assert again.pages == whole.pages + 1
    app = migrated(old, clock)
    assert events(old) == before
    check_digests(app)


def test_a_ledger_is_moved_at_once_by_an_upgrade(old: Database, clock: Clock) -> None:
    """Whoever can do without the bot for that long migrates, and everything is copied then."""
    add(old, 1, 50)
    before = events(old)
    app = migrated(old, clock)
    assert events(old) == before
    check_digests(app)
    with pytest.raises(Refusal, match="nothing to copy ahead"):
        next(moving.copy_ahead(app))


def test_a_copy_can_be_given_up(old: Database, clock: Clock) -> None:
    """With what the guide says, nothing is left of a copy, and it can be begun again."""
    add(old, 1, 50)
    app = App(old, ZONE, clock)
    list(moving.copy_ahead(app))
    guide = (Path(__file__).parents[2] / "docs/operators/restore-and-upgrade.md").read_text("utf-8")
    [statements] = re.findall(r"```sql\n(DROP FUNCTION .*?)```", guide, re.DOTALL)
    for statement in statements.strip().split("\n"):
        with old.transaction() as session:
            session.exec_driver_sql(statement)
        add(old, 100 + len(statement), 100 + len(statement))
    before = events(old)
    list(moving.copy_ahead(app))
    app = migrated(old, clock)
    assert events(old) == before


def test_the_command_says_what_comes_next(old: Database) -> None:
    """`migrate --ahead` leaves the tables to the version of before, and says how to finish."""
    url = old.writer.url.render_as_string(hide_password=False)
    env = {"TOKENS_DATABASE_URL": url, "TOKENS_TIME_ZONE": ZONE.key}
    with old.reading() as session:
        revision = schema.current_revision(session)
    copied = CliRunner().invoke(main, ["migrate", "--ahead"], env=env)
    assert copied.exit_code == 0, copied.output
    assert "Stop the bot and run `tokens-bot migrate`" in copied.output
    with old.reading() as session:
        assert schema.current_revision(session) == revision
    tried = CliRunner().invoke(main, ["migrate", "--dry-run"], env=env)
    assert (tried.exit_code, "would lose" in tried.output, "usage_events_2" in tried.output) == (0, False, False)
    assert CliRunner().invoke(main, ["migrate"], env=env).exit_code == 0
    refused = CliRunner().invoke(main, ["migrate", "--ahead"], env=env)
    assert (refused.exit_code, "nothing to copy ahead" in refused.output) == (1, True)


@pytest.mark.deep
def test_a_copy_that_is_killed_goes_on(old: Database, clock: Clock) -> None:
    """Killed in the middle again and again, it comes further each time; at the end nothing is missing or twice."""
    add(old, 1, MANY)
    for kill in range(KILLS):
        so_far = copied(old)
        with _copying(old) as running:
            while copied(old) == so_far:
                assert running.poll() is None
                time.sleep(0.01)
            running.send_signal(signal.SIGKILL)
        add(old, MANY + kill * 10 + 1, MANY + kill * 10 + 6)
    with _copying(old) as running:
        assert running.wait() == 0
    before, app = events(old), migrated(old, clock)
    assert events(old) == before
    check_digests(app)


def copied(database: Database) -> int:
    with database.reading() as session:
        return (
            int(session.exec_driver_sql("SELECT copied FROM usage_move").scalar_one())
            if months.is_begun(session)
            else 0
        )


def _copying(database: Database) -> subprocess.Popen[bytes]:
    """The command, in batches so small that it can be killed between them."""
    url = database.writer.url.render_as_string(hide_password=False)
    code = "from store.migrations import months; months.PAGES = 10; from bot.cli import main; main()"
    env = {**os.environ, "TOKENS_DATABASE_URL": url, "TOKENS_TIME_ZONE": ZONE.key}
    return subprocess.Popen([sys.executable, "-c", code, "migrate", "--ahead"], env=env)
