"""`reviews annual import`: the groups of the annual review, from the compensation review."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import click

from bot.cli import common
from programme import table_file
from programme.reviews import annual as programme_annual

if TYPE_CHECKING:
    from policy.period import Month


@click.group()
def reviews() -> None:
    """What the compensation review says of people's grants (the quarterly review is `review`)."""


@reviews.group()
def annual() -> None:
    """The annual review: each person's group, whose factor is in the handbook."""


@annual.command("import")
@click.argument("file", type=click.File("rb"), metavar="FILE.csv")
@click.option("--year", type=click.IntRange(2000, 2100), required=True, help="The year that was reviewed.")
@click.option("--from", "month", type=common.MonthType(), required=True, help="The month from which it counts.")
@click.option("--by", metavar="EMAIL", required=True, help="Who imports it: someone with the role finance.")
@common.dry_run_option
@common.json_option
def import_groups(file: BinaryIO, *, year: int, month: Month, by: str, dry_run: bool, as_json: bool) -> None:
    """Say who is in which group, from a CSV file with the columns email and group: all of it or nothing.

    Whoever is not in the file has no factor from that month on. Groups and their factors are in the handbook.
    """
    text = table_file.opened(file)
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        done = programme_annual.import_csv(moment, text, year=year, month=month, by=by)
    if as_json:
        common.print_json({"people": done.people, "groups": dict(done.groups)})
        return
    would = "Nothing was imported. It would be: " if dry_run else ""
    counted = ", ".join(f"{name}: {count}" for name, count in done.groups.items())
    click.echo(f"{would}{done.people} people from {month} on ({counted}).")
