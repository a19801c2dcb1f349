"""`handbook show`, `handbook apply`."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli import common
from policy import handbook as policy_handbook
from policy.period import day_of
from programme import handbooks
from store import reference


@click.group()
def handbook() -> None:
    """The policy's parameters."""


@handbook.command("show")
@click.option("--packaged", is_flag=True, help="The text that comes with the bot, to start your own from.")
def show_handbook(*, packaged: bool) -> None:
    """Print the handbook that holds today."""
    if packaged:
        click.echo(policy_handbook.packaged(), nl=False)
        return
    with common.desk() as desk, desk.reading() as session:
        today = day_of(desk.clock(), desk.zone)
        version = handbooks.load(session).on(today).version
        click.echo(reference.handbook_body(session, version), nl=False)


@handbook.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def apply_handbook(file: Path) -> None:
    """Apply a TOML file as a new version, from its own effective date."""
    with common.desk() as desk, desk.transaction() as session:
        applied = handbooks.apply(session, common.text_of(file), actor=common.actor(), now=desk.clock())
    click.echo(f"Handbook {applied.version} holds from {applied.effective_from}.")
