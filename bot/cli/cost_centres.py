"""`cost-centres import`."""

from __future__ import annotations

from typing import BinaryIO

import click

from bot.cli import common
from programme import table_file
from programme.people import cost_centres as programme


@click.group("cost-centres")
def cost_centres() -> None:
    """Cost centres, which bear what people use."""


@cost_centres.command("import")
@click.argument("file", type=click.File("rb"), metavar="FILE.csv")
@common.dry_run_option
@common.json_option
def import_cost_centres(file: BinaryIO, *, dry_run: bool, as_json: bool) -> None:
    """Name cost centres from a CSV file, all of it or nothing.

    Columns: cost_centre (as `people import` and `projects import` have it) and name.
    """
    text = table_file.opened(file)
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        named = programme.import_csv(moment, text, actor=common.actor())
    if as_json:
        common.print_json({"named": named, "dry_run": dry_run})
    else:
        common.told(f"{named} named.", dry_run=dry_run)
