"""`usage import`, `quarantine list`, `quarantine retry`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, BinaryIO

import click

from bot.cli import common, corrections
from handlers.decoding import MalformedBodyError
from handlers.usage import files
from policy.reasons import Refusal
from scheduler import quarantine as retry
from store.usage import events as usage_store

if TYPE_CHECKING:
    from handlers.usage.files import Format, UsageImport


@click.group()
def usage() -> None:
    """What people used."""


@usage.command("import")
@click.argument("file", type=click.File("rb"), metavar="FILE")
@click.option("--format", "format_", type=click.Choice(files.FORMATS), required=True)
@click.option("--skip-bad-lines", is_flag=True, help="Import the good lines; otherwise a bad line stops everything.")
@common.json_option
def import_usage(file: BinaryIO, *, format_: Format, skip_bad_lines: bool, as_json: bool) -> None:
    """Import usage from a CSV file (csv), or from JSON lines with one CloudEvent each (jsonl).

    An event is known by its source and id, so importing a file again adds nothing, and an interrupted import continues
    where it stopped.
    """
    if not file.seekable():
        raise Refusal("not_a_file", f"{file.name} cannot be read twice.", next_step="Save it to a file first.")
    size = os.fstat(file.fileno()).st_size
    with common.app() as app, click.progressbar(length=2 * size, label="Importing", file=sys.stderr) as bar:
        seen = 0

        def progress(offset: int) -> None:
            nonlocal seen
            bar.update(max(offset - seen, 0))
            seen = offset if offset < size else 0

        try:
            done = files.import_file(
                app, file, format_, actor=common.actor(), skip_bad_lines=skip_bad_lines, progress=progress
            )
        except MalformedBodyError as error:
            raise Refusal("file_malformed", f"{file.name}: {error}") from error
    _report(done, as_json=as_json)
    if done.bad_lines and not skip_bad_lines:
        raise Refusal(
            "file_has_bad_lines",
            f"{len(done.bad_lines)} bad lines, so nothing was imported.",
            next_step="Correct them, or skip them with --skip-bad-lines.",
        )


def _report(done: UsageImport, *, as_json: bool) -> None:
    for line in done.bad_lines:
        click.echo(f"line {line.number}: {line.detail}", err=True)
    if done.resumed_at:
        click.echo(f"Continued after line {done.resumed_at}, where an earlier import had stopped.", err=True)
    if as_json:
        common.print_json(done.counts)
    else:
        click.echo(", ".join(f"{count:,} {status}" for status, count in done.counts.items()))


for command in corrections.COMMANDS:
    usage.add_command(command)


@click.group()
def quarantine() -> None:
    """Usage that cannot be priced or attributed yet."""


@quarantine.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@common.json_option
def list_quarantine(*, limit: int, as_json: bool) -> None:
    """List what is waiting, why, and since when."""
    with common.app() as app, app.database.reading() as session:
        held = usage_store.held_events(session, limit=limit)
        counts = usage_store.count_held(session)
    rows = [
        (h.event.source, h.event.event_id, h.event.occurred_at.isoformat(), h.reason, h.detail, f"{h.since:%Y-%m-%d}")
        for h in held
    ]
    heading = ("source", "event_id", "occurred_at", "reason", "detail", "since")
    if as_json:
        common.print_json({"counts": counts, "events": [dict(zip(heading, row, strict=True)) for row in rows]})
        return
    if rows:
        common.print_table(heading, rows)
    total = ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.items()))
    click.echo(f"{sum(counts.values()):,} waiting{f': {total}' if total else ''}.")


@quarantine.command("retry")
@common.json_option
def retry_quarantine(*, as_json: bool) -> None:
    """Post what can now be priced and attributed, at the time it was used."""
    with common.app() as app:
        released, held = retry.retry_all(app)
    if as_json:
        common.print_json({"released": released, "held": held})
    else:
        click.echo(f"{released:,} released, {held:,} still waiting.")
