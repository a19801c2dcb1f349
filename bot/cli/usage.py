"""`usage import`, and the groups of other files that belong to `usage`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, BinaryIO, Literal

import click

from bot.cli import answers, common, corrections, invoices, rerating
from bot.cli.differences import list_differences
from handlers.decoding import MalformedBodyError
from handlers.usage import files
from policy.counting import many
from policy.reasons import Refusal
from programme.files import encodings
from programme.invoices.taking import Import

if TYPE_CHECKING:
    from handlers.usage.files import Format, UsageImport

FOCUS: Literal["focus"] = "focus"


@click.group()
def usage() -> None:
    """What people used."""


@usage.command("import")
@click.argument("file", type=click.File("rb"), metavar="FILE")
@click.option("--format", "format_", type=click.Choice((*files.FORMATS, FOCUS)), help="Left out: by the file's name.")
@click.option("--skip-bad-lines", is_flag=True, help="Import the good lines; otherwise a bad line stops everything.")
@common.dry_run_option
@common.json_option
def import_usage(
    file: BinaryIO, *, format_: Format | Literal["focus"] | None, skip_bad_lines: bool, dry_run: bool, as_json: bool
) -> None:
    """Import usage from a CSV file (csv), from JSON lines with one CloudEvent each (jsonl), or from a bill (focus).

    An event is known by its source and id, so importing a file again adds nothing, and an interrupted import continues
    where it stopped. Another event under an id that is known is a conflict: it is told with its line, and exits with 1.
    """
    if format_ == FOCUS:
        _import_bill(file, skip_bad_lines=skip_bad_lines, dry_run=dry_run, as_json=as_json)
        return
    if not file.seekable():
        raise Refusal("not_a_file", f"{file.name} cannot be read twice.", next_step="Save it to a file first.")
    done = _imported(file, format_ or _format_of(file), skip_bad_lines=skip_bad_lines, dry_run=dry_run)
    _report(done, dry_run=dry_run, as_json=as_json)
    if done.bad.count and not skip_bad_lines:
        raise Refusal(
            "file_has_bad_lines",
            f"{many(done.bad.count, 'bad line')}, so nothing was imported.",
            next_step="Correct them, or skip them with --skip-bad-lines.",
        )
    if refused := sum(done.counts[status] for status in files.REFUSED) - done.bad.count:
        lines, were = ("1 line", "was not") if refused == 1 else (f"{refused:,} lines", "were not")
        raise Refusal(
            "events_refused",
            f"{lines} {'would not be' if dry_run else were} taken: something else stands under the same id.",
            next_step="`tokens-bot usage conflicts list` shows both."
            " Another call needs another id, a correction a higher revision.",
        )


def _import_bill(file: BinaryIO, *, skip_bad_lines: bool, dry_run: bool, as_json: bool) -> None:
    """The same as `invoices import`."""
    if skip_bad_lines:
        raise click.UsageError("A bill is imported whole or not at all: leave out --skip-bad-lines.")
    try:
        invoices.take_in([file], Import(actor=common.actor()), dry_run=dry_run, as_json=as_json)
    except Refusal as refusal:
        if refusal.code != "second_person":
            raise
        step = "Import it with `tokens-bot invoices import --by EMAIL`."
        raise Refusal(refusal.code, refusal.text, next_step=step) from refusal


def _format_of(file: BinaryIO) -> Format:
    if (found := files.format_of(file.name)) is not None:
        return found
    if said := encodings.not_text(file.read(encodings.HEAD)):
        raise Refusal("format_unknown", f"{file.name} {said}.")
    raise Refusal(
        "format_unknown",
        f"{file.name}: its name does not say what it is.",
        next_step=f"Say --format {' or --format '.join(files.FORMATS)}.",
    )


def _imported(file: BinaryIO, format_: Format, *, skip_bad_lines: bool, dry_run: bool) -> UsageImport:
    size = os.fstat(file.fileno()).st_size
    with common.app() as app, click.progressbar(length=2 * size, label="Importing", file=sys.stderr) as bar:
        seen = 0

        def progress(offset: int) -> None:
            nonlocal seen
            bar.update(max(offset - seen, 0))
            seen = offset if offset < size else 0

        take = files.try_file if dry_run else files.import_file
        try:
            return take(app, file, format_, actor=common.actor(), skip_bad_lines=skip_bad_lines, progress=progress)
        except MalformedBodyError as error:
            raise Refusal("file_malformed", f"{file.name}: {error}") from error


usage.add_command(answers.conflicts)
usage.add_command(answers.rejected)
usage.add_command(list_differences)


def _report(done: UsageImport, *, dry_run: bool, as_json: bool) -> None:
    for lines in (done.bad, done.refused):
        for line in lines.first:
            click.echo(f"line {line.number}: {line.detail}", err=True)
        if more := lines.count - len(lines.first):
            click.echo(f"… and {more:,} more.", err=True)
    if done.resumed_at:
        click.echo(f"Continued after line {done.resumed_at}, where an earlier import had stopped.", err=True)
    if as_json:
        common.print_json(done.counts)
    else:
        said = ", ".join(f"{count:,} {status}" for status, count in done.counts.items())
        common.told(said, dry_run=dry_run)


for command in (*corrections.COMMANDS, *rerating.COMMANDS):
    usage.add_command(command)
