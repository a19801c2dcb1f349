"""`chart team|burn-down|utilisation`: the programme's pictures as files, for documents and slides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import common
from policy.reasons import Refusal
from programme.balance import balance
from programme.balance import burn_down as months
from programme.people import directory
from programme.reports.team import team_report
from programme.value import standing
from templates import charts

if TYPE_CHECKING:
    from templates.charts import Picture

out_option = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The PNG file; named after its content when left out.",
)


@click.group()
def chart() -> None:
    """Charts as PNG files; what each shows is printed in words."""


@chart.command()
@click.argument("email")
@out_option
def team(email: str, out: Path | None) -> None:
    """Draw a manager's team week by week, as the manager sees it."""
    with common.app() as app, app.reporting() as moment:
        report = team_report(moment, directory.require(moment, email).id)
    if report is None:
        raise Refusal("no_reports", f"No one reports to {email}.")
    common.told_as_of(moment)
    _write(charts.weekly_spend(report), out)


@chart.command("burn-down")
@click.argument("email")
@out_option
def burn_down(email: str, out: Path | None) -> None:
    """Draw what is left of a person's tokens on each day of this month."""
    with common.app() as app, app.reading() as moment:
        directory.require(moment, email)
        card = balance.of_email(moment, email)
        month = None if card is None else months.of(moment, card)
    if month is None:
        raise Refusal("no_wallet", f"{email} has had no tokens yet.", next_step="See `tokens-bot grants`.")
    _write(charts.burn_down(month), out)


@chart.command()
@out_option
def utilisation(out: Path | None) -> None:
    """Draw how much of their grants people used in the last full months."""
    with common.app() as app, app.reporting() as moment:
        found = standing.of(moment)
    common.told_as_of(moment)
    _write(charts.utilisation(found.utilisation), out)


def _write(picture: Picture, out: Path | None) -> None:
    path = out or Path(picture.filename)
    path.write_bytes(picture.png)
    click.echo(f"{path}: {picture.alt_text}")
