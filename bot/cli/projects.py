"""`projects import|list`."""

from __future__ import annotations

from typing import BinaryIO

import click

from bot.cli import common, listing
from bot.cli.listing import Listing
from programme import table_file
from programme.people import directory, terms
from store.people import projects as store


@click.group()
def projects() -> None:
    """Projects, how complex they are, and who works on them."""


@projects.command("list")
@click.option("--person", "email", metavar="EMAIL", help="Only those that this person works on today.")
@common.json_option
def list_projects(*, email: str | None, as_json: bool) -> None:
    """List projects, who answers for them, and how many people work on each today."""
    with common.app() as app, app.reading() as moment:
        person_id = directory.require(moment, email).id if email else None
        found = store.listed(moment.session, moment.today, person_id=person_id)
    listing.show([one._asdict() for one in found], Listing("There are no projects."), as_json=as_json)


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
        counts = {"projects": done.projects, "assignments": done.assignments, "ended": done.ended}
        common.print_json(counts | {"dry_run": dry_run})
    else:
        said = f"{done.projects} projects, {done.assignments} assignments; {done.ended} ended."
        common.told(said, dry_run=dry_run)
