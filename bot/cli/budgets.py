"""`budgets set|list`, `bands set|list`, `rates set|adopt|list`: the money that grants follow from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bot.cli import common, listing
from bot.cli.listing import Listing
from policy.period import Month, Quarter, day_of
from policy.units import NanoUSD
from policy.value.currencies import USD, Money, require_code
from programme.people import terms
from programme.value import rates as programme_rates
from store.people import directory

if TYPE_CHECKING:
    from datetime import date


@click.group()
def budgets() -> None:
    """What a month's grants may cost in all."""


@budgets.command("set")
@click.argument("month", type=common.MonthType())
@click.argument("usd", type=common.UsdType())
@common.dry_run_option
def set_budget(month: Month, usd: NanoUSD, *, dry_run: bool) -> None:
    """Limit each month's grants to USD in all, from MONTH until another budget is set."""
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        terms.set_budget(moment, month, usd, actor=common.actor())
    common.told(f"From {month}, a month's grants cost at most USD {usd.decimal:,.2f}.", dry_run=dry_run)


@budgets.command("list")
@common.json_option
def list_budgets(*, as_json: bool) -> None:
    """List every budget that was set."""
    with common.app() as app, app.reading() as moment:
        found = terms.budgets(moment)
    rows = [{"month": one.month, "usd": _usd(one.amount, as_json=as_json), "set_by": one.set_by} for one in found]
    listing.show(rows, Listing("No budget was set."), as_json=as_json)


def _usd(amount: NanoUSD, *, as_json: bool) -> str:
    """Exact for programs, under a name that says the unit already."""
    return common.usd_text(amount) if as_json else listing.written(amount)


@click.group()
def bands() -> None:
    """Pay bands with their midpoints; salaries are never stored."""


@bands.command("set")
@click.argument("band")
@click.argument("midpoint", type=common.UsdType())
@click.option("--from", "holds_from", type=common.DayType(), help="The first day it applies; today when left out.")
@click.option("--currency", default=USD, help="Its currency, such as EUR; USD when left out.")
@common.dry_run_option
def set_band(band: str, midpoint: NanoUSD, *, holds_from: date | None, currency: str, dry_run: bool) -> None:
    """Set the midpoint of BAND to MIDPOINT a year."""
    given = Money(require_code(currency), int(midpoint))
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        day = holds_from or day_of(app.clock(), app.zone)
        terms.set_band(moment, band, given, holds_from=day, actor=common.actor())
    said = f"From {day}, the midpoint of band {band} is {given.currency} {given.decimal:,.2f} a year."
    common.told(said, dry_run=dry_run)


@bands.command("list")
@click.option("--on", "day", type=common.DayType(), help="As they apply on this day; today when left out.")
@click.option("--band", help="Only this one.")
@common.json_option
def list_bands(*, day: date | None, band: str | None, as_json: bool) -> None:
    """List the midpoints that apply on a day, and how many people have each band today."""
    with common.app() as app, app.reading() as moment:
        asked = day or moment.today
        held = terms.bands(moment, asked)
        usd = programme_rates.in_usd(moment, held, Quarter.containing(asked)).usd
        people = directory.count_by_band(moment.session, moment.today)
    rows = [
        {
            "band": name,
            "midpoint": _usd(NanoUSD(held[name].nano), as_json=as_json) if name in held else "",
            "currency": held[name].currency if name in held else "",
            "midpoint_usd": _usd(usd[name], as_json=as_json) if name in usd else "",
            "people": people.get(name, 0),
        }
        for name in sorted({*held, *people})
        if band in {None, name}
    ]
    listing.show(rows, Listing("No pay band has a midpoint."), as_json=as_json)


@click.group()
def rates() -> None:
    """What a unit of another currency is worth in USD, quarter by quarter."""


quarter_argument = click.argument("quarter", type=common.QuarterType())


@rates.command("set")
@quarter_argument
@click.argument("currency")
@click.argument("usd", type=common.RateType())
@common.dry_run_option
def set_rate(quarter: Quarter, currency: str, usd: NanoUSD, *, dry_run: bool) -> None:
    """Propose that a unit of CURRENCY is worth USD throughout QUARTER. Two people then adopt it."""
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        programme_rates.set_rate(moment, quarter, currency, usd, actor=common.actor())
    said = f"Two people now adopt it with `tokens-bot rates adopt {quarter}`; until then it doesn't count."
    common.told(said, dry_run=dry_run)


@rates.command("adopt")
@quarter_argument
@common.json_option
def adopt_rates(quarter: Quarter, *, as_json: bool) -> None:
    """Adopt the rates that wait for QUARTER. A second person freezes them."""
    with common.app() as app, app.transaction() as moment:
        adopted = programme_rates.adopt(moment, quarter, actor=common.actor())
    if as_json:
        told = {one.currency: common.usd_text(one.per_unit) for one in adopted}
        common.print_json({"quarter": str(quarter), "frozen": told})
    elif adopted:
        told_in_words = ", ".join(f"1 {one.currency} = USD {one.per_unit.decimal:f}" for one in adopted)
        click.echo(f"Frozen for {quarter}: {told_in_words}.")
    else:
        click.echo("You are the first of two. Someone else has to adopt them too.")


@rates.command("list")
@common.json_option
def list_rates(*, as_json: bool) -> None:
    """List every rate, and who adopted it."""
    with common.app() as app, app.reading() as moment:
        kept = programme_rates.of(moment)
    rows = [
        (
            one.quarter,
            one.currency,
            common.usd_text(one.rate.per_unit),
            "frozen" if one.frozen_at else "waits",
            one.adopted_by or "",
            one.confirmed_by or "",
        )
        for one in kept
    ]
    heading = ("quarter", "currency", "usd_per_unit", "state", "adopted_by", "confirmed_by")
    if as_json:
        common.print_json([dict(zip(heading, row, strict=True)) for row in rows])
    else:
        common.print_table(heading, rows)
