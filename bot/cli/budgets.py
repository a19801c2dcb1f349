"""`budgets set|list`, `bands set|list`: the money that grants follow from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bot.cli import common
from policy.period import Month, day_of
from programme.people import terms

if TYPE_CHECKING:
    from datetime import date

    from policy.units import NanoUSD


@click.group()
def budgets() -> None:
    """What a month's grants may cost in all."""


@budgets.command("set")
@click.argument("month", type=common.MonthType())
@click.argument("usd", type=common.UsdType())
def set_budget(month: Month, usd: NanoUSD) -> None:
    """Limit each month's grants to USD in all, from MONTH until another budget is set."""
    with common.app() as app, app.transaction() as moment:
        terms.set_budget(moment, month, usd, actor=common.actor())
    click.echo(f"From {month}, a month's grants cost at most USD {usd.decimal:,.2f}.")


@budgets.command("list")
@common.json_option
def list_budgets(*, as_json: bool) -> None:
    """List every budget that was set."""
    with common.app() as app, app.reading() as moment:
        rows = [(one.month, common.usd_text(one.amount), one.set_by) for one in terms.budgets(moment)]
    heading = ("month", "usd", "set_by")
    if as_json:
        common.print_json([dict(zip(heading, row, strict=True)) for row in rows])
    else:
        common.print_table(heading, rows)


@click.group()
def bands() -> None:
    """Pay bands with their midpoints; salaries are never stored."""


@bands.command("set")
@click.argument("band")
@click.argument("midpoint", type=common.UsdType())
@click.option("--from", "holds_from", type=common.DayType(), help="The first day it applies; today when left out.")
def set_band(band: str, midpoint: NanoUSD, *, holds_from: date | None) -> None:
    """Set the midpoint of BAND to MIDPOINT USD a year."""
    with common.app() as app, app.transaction() as moment:
        day = holds_from or day_of(app.clock(), app.zone)
        terms.set_band(moment, band, midpoint, holds_from=day, actor=common.actor())
    click.echo(f"From {day}, the midpoint of band {band} is USD {midpoint.decimal:,.2f} a year.")


@bands.command("list")
@common.json_option
def list_bands(*, as_json: bool) -> None:
    """List the midpoints that apply today."""
    with common.app() as app, app.reading() as moment:
        held = terms.bands(moment, day_of(app.clock(), app.zone))
    rows = [(band, common.usd_text(usd)) for band, usd in sorted(held.items())]
    heading = ("band", "midpoint_usd")
    if as_json:
        common.print_json([dict(zip(heading, row, strict=True)) for row in rows])
    else:
        common.print_table(heading, rows)
