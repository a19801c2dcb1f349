"""`migrate`, `backup`, `restore`: the ledger's file or database as a whole."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot import backups, moving, rehearsals, settings, wiring
from bot.cli import common
from bot.cli.running import MOST_FINDINGS, recomputed
from policy.counting import many

if TYPE_CHECKING:
    from bot.rehearsals import Rehearsal
    from bot.settings import Settings
    from programme.app import App


@click.command()
@click.option(
    "--dry-run",
    is_flag=True,
    help="Try it on a copy, and show what each step takes and the rows of each table; change nothing.",
)
@click.option(
    "--ahead",
    is_flag=True,
    help="On PostgreSQL, while the version of before runs: copy what would take long. It may be stopped and goes on.",
)
@common.json_option
def migrate(*, dry_run: bool, ahead: bool, as_json: bool) -> None:
    """Create the database's tables, or bring them up to date."""
    if ahead and (dry_run or as_json):
        raise click.UsageError("--ahead goes with no other option.")
    loaded = settings.load()
    app = wiring.new_app(loaded)
    try:
        if ahead:
            _copy_ahead(app)
            return
        if dry_run:
            _show(rehearsals.upgrade(app), as_json=as_json)
            return
        text = common.text_of(loaded.handbook) if loaded.handbook else None
        wiring.migrate(app, handbook=text)
    finally:
        app.database.close()
    click.echo("The database is up to date.")


def _copy_ahead(app: App) -> None:
    copied, pages = 0, 0
    with click.progressbar(length=1, label="Copying events", file=sys.stderr) as bar:
        for moved in moving.copy_ahead(app):
            copied, bar.length = moved.copied, max(1, moved.of_pages)
            bar.update(moved.pages - pages)
            pages = moved.pages
    click.echo(f"{copied:,} events are copied, and what comes meanwhile is noted.")
    click.echo("Stop the bot and run `tokens-bot migrate`: it copies the rest and exchanges the tables.")


def _show(found: Rehearsal, *, as_json: bool) -> None:
    if as_json:
        steps = [{"revision": s.revision, "what": s.what, "seconds": round(s.seconds, 3)} for s in found.steps]
        told = {"from": found.revision, "steps": steps, "rows_before": found.before, "rows_after": found.after}
        common.print_json(told)
        return
    if not found.steps:
        click.echo("The database is up to date. Nothing would be changed.")
        return
    common.print_table(("revision", "seconds", "what"), [(s.revision, f"{s.seconds:.2f}", s.what) for s in found.steps])
    names = sorted({*found.before, *found.after})
    rows = [(name, found.before.get(name, "-"), found.after.get(name, "-")) for name in names]
    common.print_table(("table", "rows before", "rows after"), [row for row in rows if row[1] != row[2]])
    total, same = sum(step.seconds for step in found.steps), sum(row[1] == row[2] for row in rows)
    click.echo(
        f"{len(found.steps)} steps, {total:.1f} s; {same} tables keep their number of rows. Nothing was changed."
    )
    for name, (before, after) in found.lost.items():
        click.echo(f"{name} would lose {before - after:,} of its {many(before, 'row')}.", err=True)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@common.json_option
def backup(file: Path, *, as_json: bool) -> None:
    """Copy the ledger into FILE while the bot runs: a SQLite file, or what `pg_dump` writes of PostgreSQL.

    The copy is of one instant, and its owner's alone. An earlier version's ledger is copied as well, before `migrate`.
    `doctor` says when the last copy was made.
    """
    app = wiring.new_app(settings.load())
    try:
        made = backups.make(app, file)
    finally:
        app.database.close()
    if as_json:
        common.print_json({"file": str(made.path), "bytes": made.size, "revision": made.revision})
    else:
        click.echo(f"{made.path}: {made.size:,} bytes, at revision {made.revision}.")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--stopped", is_flag=True, help="The bot is stopped: don't wait until it was silent for three minutes.")
@common.dry_run_option
def restore(file: Path, *, stopped: bool, dry_run: bool) -> None:
    """Put the back-up FILE in the ledger's place, bring it up to date, and recompute every figure of it.

    The SQLite file before stays beside it. A PostgreSQL database has to be empty. A dry run of a SQLite file does all
    of it on a copy, also while the bot runs: so it tells whether a back-up is good.
    """
    loaded = settings.load()
    if dry_run and not loaded.database_url.startswith(rehearsals.SQLITE):
        _look(loaded, file)
        return
    with rehearsals.elsewhere(loaded) if dry_run else nullcontext(loaded) as place:
        findings = _restored(place, file, is_stopped=stopped or dry_run)
    for finding in findings:
        click.echo(finding)
    held = "Every figure holds." if not findings else f"{len(findings)} figures do not hold."
    common.told(f"{file} is in place and up to date. {held}", dry_run=dry_run)
    sys.exit(1 if findings else 0)


def _look(loaded: Settings, file: Path) -> None:
    """Say whether a back-up can be put into a PostgreSQL database, which has to stay empty until then."""
    app = wiring.new_app(loaded)
    try:
        revision = backups.look(app, file)
    finally:
        app.database.close()
    said = f"{file}, at revision {revision}, is in place and up to date, and every figure recomputed."
    common.told(said, dry_run=True)


def _restored(loaded: Settings, file: Path, *, is_stopped: bool) -> list[str]:
    """Put a back-up in place; a sentence for each figure of it that does not hold."""
    app = wiring.new_app(loaded)
    try:
        kept = backups.restore(app, file, is_stopped=is_stopped)
    finally:
        app.database.close()
    if kept is not None:
        click.echo(f"The ledger before is {kept}.")
    app = wiring.new_app(loaded)
    try:
        wiring.migrate(app)
        wiring.require_ready(app)
        return list(islice(recomputed(app), MOST_FINDINGS))
    finally:
        app.database.close()
