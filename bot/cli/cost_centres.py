"""`cost-centres import|list|statement`."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import click

from bot.cli import chargeback, common
from policy.period import Month
from policy.reasons import Refusal
from programme import table_file
from programme.finance import chargeback as figures
from programme.people import cost_centres as programme
from store.people import cost_centres as store
from templates import formats
from views.finance import NOT_APART

if TYPE_CHECKING:
    from views.finance import CentreMonth


@click.group("cost-centres")
def cost_centres() -> None:
    """Cost centres, which bear what people use."""


@cost_centres.command("import")
@click.argument("file", type=click.File("rb"), metavar="FILE.csv")
@common.dry_run_option
@common.json_option
def import_cost_centres(file: BinaryIO, *, dry_run: bool, as_json: bool) -> None:
    """Name cost centres and their owners from a CSV file, all of it or nothing.

    Columns: cost_centre (as `people import` and `projects import` have it), name, and owner_email, if someone is to be
    told each month what it bears. Without that column owners stay as they are.
    """
    text = table_file.opened(file)
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        named = programme.import_csv(moment, text, actor=common.actor())
    if as_json:
        common.print_json({"named": named, "dry_run": dry_run})
    else:
        common.told(f"{named} named.", dry_run=dry_run)


@cost_centres.command("list")
@click.option("--owner", metavar="EMAIL", help="Only those that somebody owns.")
@common.json_option
def list_cost_centres(*, owner: str | None, as_json: bool) -> None:
    """List the cost centres that have a name, with their owners."""
    with common.app() as app, app.reading() as moment:
        owners = chargeback.emails(moment)
        named = store.all_of(moment.session).values()
        found = [{"cost_centre": one.key, "name": one.name, "owner_email": owners.get(one.key, "")} for one in named]
    if owner is not None:
        found = [one for one in found if one["owner_email"] == owner.strip().lower()]
    if as_json:
        common.print_json(found)
    elif found:
        common.print_table(("cost centre", "name", "owner"), [tuple(one.values()) for one in found])
    elif owner is not None:
        click.echo(f"{owner} owns no cost centre.")
    else:
        click.echo("No cost centre has a name yet. Name them with `tokens-bot cost-centres import`.")


@cost_centres.command("statement")
@click.argument("key", metavar="COST_CENTRE")
@click.option("--month", type=common.MonthType(), help="The last month if left out.")
@common.json_option
def statement(key: str, *, month: Month | None, as_json: bool) -> None:
    """Show what a cost centre bears of a month, as its owner is told it."""
    with common.app() as app, app.reporting(throughout=True) as moment:
        named = month or Month.containing(moment.today).previous()
        told = chargeback.begun(moment, named)
        found = figures.of_month(moment, named).get(key)
    if found is None:
        raise Refusal(
            "nothing_borne", f"{key!r} bears nothing of {named}.", next_step="See `tokens-bot cost-centres list`."
        )
    if as_json:
        common.print_json(common.plain(found) | {"final": told.is_final})
    else:
        common.told_as_of(moment)
        _print(found)


def _print(one: CentreMonth) -> None:
    if one.hidden:
        click.echo(f"{one.name}, {one.month}: not shown, because too few people used something for it.")
        return
    before = "" if one.before is None else f"; {formats.usd(one.before)} in the month before"
    click.echo(f"{one.name}, {one.month}: {formats.usd(one.spent)}, by {formats.people(one.people)}{before}.")
    for by, parts in (("service", one.services), ("project", one.projects), ("kind", one.kinds)):
        click.echo()
        shown = [("too few people" if part.key == NOT_APART else part.name or part.key, part) for part in parts]
        rows = [(name, common.usd_text(part.spent), common.token_text(part.debited)) for name, part in shown]
        common.print_table((by, "USD", "tokens"), rows)
