"""`export archive`, `report years`: settled months as files, and reports over years that read them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from bot.cli import common
from handlers import tables
from handlers.finance import archive_files, years
from handlers.finance.years import DIMENSIONS, PERIODS
from handlers.tables import Column, Layout
from policy.period import Month
from policy.reasons import Refusal
from programme import anchors
from programme.finance import archive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handlers.finance.archive_files import Written
    from handlers.tables import Format
    from programme.app import App

ARCHIVED = "archive.export"
"""In the audit log, with the file's name and SHA-256."""
YEARS = Layout(
    (
        *(Column(name) for name in ("period", "name")),
        Column("calls", "whole"),
        *(Column(name, "number") for name in ("cost_usd", "tokens")),
    )
)
folder_path = click.Path(file_okay=False, path_type=Path)


@click.command("archive")
@click.option("--until", type=common.MonthType(), required=True, help="The last month; it has to be settled.")
@click.option("--from", "first", type=common.MonthType(), help="The first month; left out: the first with any use.")
@click.option("--to", "folder", type=folder_path, required=True, help="Where the files lie; it is made if need be.")
def export_archive(*, until: Month, first: Month | None, folder: Path) -> None:
    """Write settled months to Parquet, a file each, for reports over years and for your own tools.

    A line is what one person, under their id, was charged on a day for a model and a project. A month is written once:
    its SHA-256 is in the folder and in the audit log, and what was written is compared with it.
    """
    with common.app() as app:
        months = list(_months(app, first, until))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = archive_files.known(folder)
        for month in months:
            name = archive_files.name_of(month)
            if name in known:
                archive_files.require_whole(folder, name, known[name])
                click.echo(f"{name} is there already, as it was written.")
            else:
                written = _write(app, month, folder)
                click.echo(f"{name}: {written.lines:,} lines, SHA-256 {written.digest}")


def _months(app: App, first: Month | None, until: Month) -> Iterator[Month]:
    with app.reading() as moment:
        archive.require_settled(moment, until)
        month = first or archive.first_month(moment)
    if month is None:
        raise Refusal("nothing_used", "Nothing was used yet.")
    if month.first_day > until.first_day:
        raise Refusal("months_reversed", f"{until} is before {month}.", next_step="Name the earlier month first.")
    while month.first_day <= until.first_day:
        yield month
        month = month.next()


def _write(app: App, month: Month, folder: Path) -> Written:
    """The file is on record before it has its name: one that has a name is on record."""
    with app.reporting(throughout=True) as moment:
        written = archive_files.write(moment, month, folder)
    with app.transaction() as noting:
        subject, digest = written.name, written.digest
        actor = common.actor()
        anchors.note_export(noting, ARCHIVED, actor=actor, lines=written.lines, subject=subject, digest=digest)
    archive_files.keep(folder, month, written)
    return written


@click.group()
def report() -> None:
    """Reports from an archive; no database is asked."""


@report.command("years")
@click.argument("folder", type=click.Path(file_okay=False, exists=True, path_type=Path))
@click.option("--by", type=click.Choice(list(DIMENSIONS)), default="service", show_default=True, help="What is apart.")
@click.option("--per", type=click.Choice(PERIODS), default="year", show_default=True, help="How long a period is.")
@click.option("--from", "first", type=common.MonthType(), help="The first month; left out: the first there is.")
@click.option("--until", type=common.MonthType(), help="The last month; left out: the last there is.")
@common.out_option
@common.format_options
def report_years(
    *, folder: Path, by: str, per: str, first: Month | None, until: Month | None, out: BinaryIO, format_: Format
) -> None:
    """Write what was spent, by year and service or as you say, from the FOLDER of `export archive`.

    Groups of too few people stand together as (others), month by month, so no period tells more than its months.
    Needs `tokens-bot[analytics]`.
    """
    months = (first or Month(1970, 1), until or Month(9998, 12)) if first or until else None
    rows = years.report(folder, by, per, months)
    tables.write(out, YEARS, years.cells(rows), format_)
