"""`projects import`."""

from __future__ import annotations

import io
from typing import BinaryIO

import click

from bot.cli import common
from policy.reasons import Refusal
from programme.people import terms


@click.group()
def projects() -> None:
    """Projects, how complex they are, and who works on them."""


@projects.command("import")
@click.argument("file", type=click.File("rb"), metavar="FILE.csv")
@common.json_option
def import_projects(file: BinaryIO, *, as_json: bool) -> None:
    """Add or change projects from a CSV file, all of it or nothing.

    Columns: project, name, complexity (routine, usual, demanding, novel), director_email, sponsor_email, and for each
    person a line with email and share (of their work, at most 1). Anyone no longer listed with a project has left it.
    """
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal("not_utf8", f"{file.name} is not UTF-8 text: {error}.") from error
    with common.app() as app, app.transaction() as moment:
        done = terms.import_projects(moment, io.StringIO(text), today=moment.today, actor=common.actor())
    if as_json:
        common.print_json({"projects": done.projects, "assignments": done.assignments, "ended": done.ended})
    else:
        click.echo(f"{done.projects} projects, {done.assignments} assignments; {done.ended} ended.")
