"""`roles list`: who has a role in the programme."""

from __future__ import annotations

import click

from bot.cli import common, listing
from bot.cli.listing import Listing
from store.people import directory

ROLES = ("board", "alternate", "chair", "finance", "recruiter", "admin", "auditor")


@click.group()
def roles() -> None:
    """Who sits on the board, and who administers and audits the programme."""


@roles.command("list")
@click.option("--role", type=click.Choice(ROLES), help="Only this one.")
@click.option("--person", "email", metavar="EMAIL", help="Only this person's.")
@common.json_option
def list_roles(*, role: str | None, email: str | None, as_json: bool) -> None:
    """List every role that somebody has. `people import` sets them; members may come from a user group in Slack."""
    with common.app() as app, app.reading() as moment:
        found = directory.with_roles(moment.session)
    rows = [one._asdict() for one in found if role in {None, one.role} and email in {None, one.email}]
    listing.show(
        rows, Listing("No one has a role." if role is None else f"No one has the role {role}."), as_json=as_json
    )
