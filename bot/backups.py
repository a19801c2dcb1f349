"""Back-ups of the ledger while the bot runs, and putting one in place: whole and known to hold, or not at all."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.reasons import Refusal
from programme import vitals
from store import pulses, schema
from store.engine import PRIVATE
from store.migrations import months

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from programme.app import App

DONE = "backup"
"""The part whose pulse is that of the last back-up."""
REVISION = "SELECT version_num FROM alembic_version"


class Copy(NamedTuple):
    """A back-up: where, how large, and the revision of its tables."""

    path: Path
    size: int
    revision: str


def make(app: App, path: Path) -> Copy:
    """Copy the ledger as of one instant, while the bot runs; a file that is there already is refused.

    A ledger of another version is copied as well: that is what an upgrade begins with. Only its owner may read the
    copy: it holds everything. The copy is there whole, or not at all.
    """
    if path.exists():
        raise Refusal("file_exists", f"{path} is there already.", next_step="Name another file.")
    revision = _revision_of_app(app)
    if revision is None:
        raise Refusal("not_migrated", "The database has no tables.", next_step="Run `tokens-bot migrate`.")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
    try:
        _copy(app, unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    if revision == schema.head_revision():
        with app.transaction() as moment:
            pulses.note(moment.session, DONE, now=moment.now)
    return Copy(path, path.stat().st_size, revision)


def _copy(app: App, path: Path) -> None:
    if app.database.dialect == "sqlite":
        copy_sqlite(_file(app), path)
        return
    _run(app, "pg_dump", ["--format=custom", "--no-owner", "--no-privileges", f"--file={path}"])


def copy_sqlite(file: Path, path: Path) -> None:
    """A file as of one instant into another one, also while it is written to."""
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
        # A file by itself: no second one beside it has a part of it.
        target.execute("PRAGMA journal_mode = DELETE")


def _file(app: App) -> Path:
    return Path(str(app.database.writer.url.database))


def _revision_of_app(app: App) -> str | None:
    with app.database.reading() as session:
        return schema.current_revision(session)


def _run(app: App, program: str, arguments: Sequence[str]) -> str:
    """One of PostgreSQL's programs on the app's database; the password goes by the environment, which is private."""
    found = shutil.which(program)
    if found is None:
        text = f"{program} is not on this machine."
        raise Refusal(
            "program_missing", text, next_step="Install PostgreSQL's client programs, of the server's version."
        )
    url = app.database.writer.url
    environ = {**os.environ, **_connection(url)}
    done = subprocess.run([found, *arguments], env=environ, capture_output=True, text=True, check=False)  # noqa: S603 - found above
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Refusal("program_failed", f"{program} failed: {said[-1] if said else done.returncode}")
    return done.stdout


def _connection(url: sa.URL) -> dict[str, str]:
    """A URL as the variables that PostgreSQL's programs read."""
    query = {name: str(value) for name, value in url.query.items()}
    said = {
        "PGHOST": url.host or query.get("host"),
        "PGPORT": str(url.port) if url.port else query.get("port"),
        "PGUSER": url.username,
        "PGPASSWORD": str(url.password) if url.password else None,
        "PGDATABASE": url.database,
        "PGSSLMODE": query.get("sslmode"),
    }
    return {name: value for name, value in said.items() if value}


def restore(app: App, path: Path, *, is_stopped: bool = False) -> Path | None:
    """Put a back-up in place of the app's ledger; where the one before is now, if there was one.

    Refused: a file that is no whole back-up, one of a newer version than this, and a bot that runs on the ledger,
    unless it is known to be stopped.
    On PostgreSQL the database has to be empty, and nothing is replaced.
    """
    if not is_stopped:
        _require_idle(app)
    look(app, path)
    if app.database.dialect == "sqlite":
        return _put_in_place(app, path)
    arguments = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    _run(app, "pg_restore", [*arguments, f"--dbname={app.database.writer.url.database}", str(path)])
    return None


def look(app: App, path: Path) -> str:
    """The revision of a back-up that can be put in place of the app's ledger; a Refusal where it can't."""
    if app.database.dialect == "sqlite":
        revision = _revision_of_file(path)
    else:
        _require_empty(app)
        revision = _revision_of_dump(app, path)
    _require_known(revision)
    return revision


def _require_known(revision: str) -> None:
    if not schema.knows(revision):
        text = f"The back-up is at revision {revision}, which is newer than this version's {schema.head_revision()}."
        raise Refusal("revision_newer", text, next_step="Install the version that made it, or a later one.")


def _revision_of_file(path: Path) -> str:
    """The revision of a SQLite file that is whole."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as opened:
            [problem] = opened.execute("PRAGMA quick_check(1)").fetchone()
            found = opened.execute(REVISION).fetchone()
    except sqlite3.Error as error:
        raise Refusal("not_a_backup", f"{path} is no back-up of a ledger: {error}.") from error
    if problem != "ok" or found is None:
        raise Refusal("not_a_backup", f"{path} is damaged: {problem}.", next_step="Take another back-up.")
    return str(found[0])


def _revision_of_dump(app: App, path: Path) -> str:
    said = _run(app, "pg_restore", ["--data-only", "--table=alembic_version", "--file=-", str(path)])
    lines = iter(said.splitlines())
    for line in lines:
        if line.startswith("COPY ") and "alembic_version" in line:
            return next(lines, "").strip()
    raise Refusal("not_a_backup", f"{path} is no back-up of a ledger.")


def _require_idle(app: App) -> None:
    """A bot that runs would go on with figures of before."""
    try:
        with app.database.reading() as session:
            revision = schema.current_revision(session)
            known = pulses.latest(session) if revision else {}
            is_ours = revision == schema.head_revision()
            running = {one.part for one in pulses.running(session, app.clock())} if is_ours else set()
    except sa.exc.DBAPIError:
        return  # What is there is damaged, or of a version without pulses.
    now = app.clock()
    for part in (*vitals.PATIENCE, *sorted(running - vitals.PATIENCE.keys())):
        if part in running or (part in known and _is_recent(known[part], now)):
            text = f"A bot runs on this ledger: its {part} was seen a moment ago."
            raise Refusal("bot_runs", text, next_step="Stop it. If it is stopped already, say --stopped.")


def _is_recent(pulse: pulses.Pulse, now: datetime) -> bool:
    seen = max((at for at in (pulse.well_at, pulse.ailing_at) if at is not None), default=None)
    return seen is not None and abs((now - seen).total_seconds()) < IDLE_SECONDS


IDLE_SECONDS = 180
"""Some pulses: a part tells twice a minute that it is there."""


def _require_empty(app: App) -> None:
    with app.database.reading() as session:
        if schema.current_revision(session) is not None:
            name = app.database.writer.url.database
            step = "Make an empty one (`createdb restored`), name it in TOKENS_DATABASE_URL, and restore into that."
            raise Refusal("database_not_empty", f"The database {name} has a ledger in it.", next_step=step)


def _put_in_place(app: App, path: Path) -> Path | None:
    """The copy as the ledger's file; the file before keeps its name with the instant behind it."""
    file = _file(app)
    app.database.close()
    beside = file.with_name(f"{file.name}.restoring")
    shutil.copyfile(path, beside)
    beside.chmod(PRIVATE)
    kept = None
    if file.exists() and file.stat().st_size:
        kept = file.with_name(f"{file.name}.before-{app.clock():%Y%m%dT%H%M%S}")
        with closing(sqlite3.connect(file)) as before:
            # What stands beside the file belongs to it: it goes into it first.
            before.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.replace(kept)
    for name in ("-wal", "-shm"):
        file.with_name(f"{file.name}{name}").unlink(missing_ok=True)
    beside.replace(file)
    return kept


def counts(session: sa.Connection) -> Mapping[str, int]:
    """The rows of every table, each with its parts; what an upgrade has copied ahead is no table yet."""
    inspected = sa.inspect(session)
    quoted = session.dialect.identifier_preparer.quote
    return {
        name: session.exec_driver_sql(f"SELECT count(*) FROM {quoted(name)}").scalar_one()  # noqa: S608 - a table's name
        for name in sorted(inspected.get_table_names())
        if schema.is_table(name, "table", {}) and name not in months.BESIDE
    }
