"""Lists: a table as people write amounts and dates, or JSON in which every figure is exact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from bot.cli import common
from policy.period import first_instant
from policy.units import Amount, MicroTokens, NanoUSD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from programme.app import App

limit_option = click.option("--limit", type=common.COUNTED, default=50, show_default=True, help="At most so many.")
since_option = click.option("--since", type=common.DayType(), help="From this day on.")
UNITS = {MicroTokens: "_tokens", NanoUSD: "_usd"}
WIDEST = 60


class Lists(click.Group):
    """A group of commands that lists where none of them is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if is_named else ["list", *args])


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list shows: `columns` in this order, or all; `nothing` where there is nothing to show."""

    nothing: str
    columns: tuple[str, ...] = ()


def show(rows: Sequence[Mapping[str, Any]], listing: Listing, *, as_json: bool) -> None:
    """Print rows whose values are amounts, instants, dates and words."""
    if as_json:
        common.print_json([_exact(row) for row in rows])
    elif rows:
        columns = listing.columns or tuple(rows[0])
        common.print_table(columns, [[brief(row[name]) for name in columns] for row in rows])
    else:
        click.echo(listing.nothing)


def _exact(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{name}{UNITS.get(type(value), '')}": value.isoformat() if isinstance(value, date) else common.plain(value)
        for name, value in row.items()
    }


def brief(value: Any) -> str:  # noqa: ANN401 - any column
    """A value as people write it: `125,000`, `2026-12-01 09:00Z`, and one line of a text."""
    if value is None:
        return ""
    if isinstance(value, Amount):
        return written(value)
    if isinstance(value, datetime):
        return instant(value)
    text = " ".join(str(value).split())
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def instant(value: datetime) -> str:
    """An instant to the minute, which says that it is in UTC: `2026-12-01 09:00Z`."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}Z"


def written(amount: Amount) -> str:
    """An amount with its thousands parted and without zeros behind the point: `160,000`, `0.25`."""
    text = f"{amount.decimal:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def usd(amount: NanoUSD, *, as_json: bool) -> str:
    """USD under a name that says so already: exact for programs, as people write it for them."""
    return common.usd_text(amount) if as_json else written(amount)


def instant_of(day: date | None, app: App) -> datetime | None:
    """When a day begins in the programme."""
    return first_instant(day, app.zone) if day else None
