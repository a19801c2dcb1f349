"""`due`, `tick`: what the calendar owes, and doing it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from bot import settings
from bot.cli import common
from scheduler import tick as ticking
from scheduler import ticker

if TYPE_CHECKING:
    from datetime import datetime

    from scheduler.due import Run

at_option = click.option("--at", type=common.InstantType(), help="As if it were then; now when left out.")


@click.command()
@at_option
@common.json_option
def due(*, at: datetime | None, as_json: bool) -> None:
    """List the runs that are owed, oldest first."""
    with common.app() as app, app.reading(at or app.clock()) as moment:
        awaiting = ticking.owed(moment)
    if as_json:
        common.print_json([_shown(run) for run in awaiting])
    elif awaiting:
        common.print_table(("job", "period", "due at"), [tuple(_shown(run).values()) for run in awaiting])
    else:
        click.echo("Nothing is owed.")


@click.command()
@at_option
@common.json_option
def tick(*, at: datetime | None, as_json: bool) -> None:
    """Do the runs that are owed; exit 1 when one of them failed."""
    announce_in = settings.load().announce_channel
    with common.app() as app:
        ticked = ticking.tick(app, now=at or app.clock(), announce_in=announce_in)
        ticker.lapse_holds(app, now=at)
    failed = [_shown(run) | {"reason": reason} for run, reason in ticked.failed]
    if as_json:
        common.print_json({"done": [_shown(run) for run in ticked.done], "failed": failed})
    else:
        for run in ticked.done:
            click.echo(f"{run.job} of {run.period}: done")
        for run, reason in ticked.failed:
            click.echo(f"{run.job} of {run.period}: {reason}")
        if not ticked.done and not failed:
            click.echo("Nothing was owed.")
    sys.exit(1 if failed else 0)


def _shown(run: Run) -> dict[str, str]:
    return {"job": run.job, "period": run.period, "due_at": run.due_at.isoformat()}
