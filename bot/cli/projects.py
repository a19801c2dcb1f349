"""`projects import`."""

from __future__ import annotations

from typing import BinaryIO

import click

from bot.cli import common
from programme import table_file
from programme.people import terms


@click.group()
def projects() -> None:
    """Projects, how complex they are, and who works on them."""


@projects.command("import")
@click.argument("file", type=click.File("rb"), metavar="FILE.csv")
@common.dry_run_option
@common.json_option
def import_projects(file: BinaryIO, *, dry_run: bool, as_json: bool) -> None:
    """Add or change projects from a CSV file, all of it or nothing.

    Columns: project, name, complexity (routine, usual, demanding, novel), director_email, sponsor_email, cost_centre
    (which bears what is used for it, instead of each person's own), and for each person a line with email and share (of
    their work, at most 1). Anyone no longer listed with a project has left it.
    """
    text = table_file.opened(file)
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        done = terms.import_projects(moment, text, today=moment.today, actor=common.actor())
    if as_json:
        common.print_json({"projects": done.projects, "assignments": done.assignments, "ended": done.ended})
    else:
        would = "Nothing was imported. It would be: " if dry_run else ""
        click.echo(f"{would}{done.projects} projects, {done.assignments} assignments; {done.ended} ended.")
