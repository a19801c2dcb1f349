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
@click.option("--since", type=common.MonthType(), help="Set for this month or a later one.")
@common.json_option
def list_budgets(*, since: Month | None, as_json: bool) -> None:
    """List every budget that was set."""
    with common.app() as app, app.reading() as moment:
        found = [one for one in terms.budgets(moment) if since is None or one.month >= str(since)]
    rows = [
        {"month": one.month, "usd": listing.usd(one.amount, as_json=as_json), "set_by": one.set_by} for one in found
    ]
    listing.show(rows, Listing("No budget was set."), as_json=as_json)


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
            "midpoint": listing.usd(NanoUSD(held[name].nano), as_json=as_json) if name in held else "",
            "currency": held[name].currency if name in held else "",
            "midpoint_usd": listing.usd(usd[name], as_json=as_json) if name in usd else "",
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
@common.dry_run_option
@common.json_option
def adopt_rates(quarter: Quarter, *, dry_run: bool, as_json: bool) -> None:
    """Adopt the rates that wait for QUARTER. A second person freezes them."""
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        adopted = programme_rates.adopt(moment, quarter, actor=common.actor())
    if as_json:
        told = {one.currency: common.usd_text(one.per_unit) for one in adopted}
        common.print_json({"quarter": str(quarter), "frozen": told, "dry_run": dry_run})
    elif adopted:
        told_in_words = ", ".join(f"1 {one.currency} = USD {listing.written(one.per_unit)}" for one in adopted)
        common.told(f"Frozen for {quarter}: {told_in_words}.", dry_run=dry_run)
    else:
        common.told("You are the first of two. Someone else has to adopt them too.", dry_run=dry_run)


@rates.command("list")
@click.option("--quarter", type=common.QuarterType(), help="Only of this quarter.")
@click.option("--currency", help="Only this one, such as EUR.")
@common.json_option
def list_rates(*, quarter: Quarter | None, currency: str | None, as_json: bool) -> None:
    """List every rate, and who adopted it."""
    code = require_code(currency) if currency else None
    with common.app() as app, app.reading() as moment:
        kept = programme_rates.of(moment)
    rows = [
        {
            "quarter": one.quarter,
            "currency": one.currency,
            "usd_per_unit": listing.usd(one.rate.per_unit, as_json=as_json),
            "state": "frozen" if one.frozen_at else "waits",
            "adopted_by": one.adopted_by or "",
            "confirmed_by": one.confirmed_by or "",
        }
        for one in kept
        if (quarter is None or one.quarter == str(quarter)) and code in {None, one.currency}
    ]
    listing.show(rows, Listing("No such rate is on record."), as_json=as_json)
