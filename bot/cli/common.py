"""What the commands share: the app, the acting person, output for people and for programs."""

from __future__ import annotations

import dataclasses
import getpass
import json
import re
from collections.abc import Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from bot import settings, wiring
from handlers import FIRST_YEAR, LAST_YEAR, amounts, month_named
from policy.period import Month, Quarter, require_aware
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from programme.files import cells
from programme.finance.seconded import Speaker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from programme.app import App
    from programme.moment import Moment

TRIED = "Nothing was changed. It would be: "
"""What a dry run says before the sentence that the command itself says."""

dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
COUNTED = click.IntRange(1, 10**15)
"""A number of something, or under which it is known: no database takes a larger one."""

second_word_option = click.option(
    "--by",
    "spoken_by",
    metavar="EMAIL",
    help="Whose word it is: a large correction takes two people from finance, who give the same command.",
)
out_option = click.option("--out", type=click.File("wb", lazy=True), default="-", help="Standard output when left out.")


def format_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How a table is written, as `format_`."""
    parquet = "Write Parquet; needs `tokens-bot[parquet]`."
    command = click.option("--parquet", "format_", flag_value="parquet", help=parquet)(command)
    command = click.option("--json", "format_", flag_value="json", help="Write JSON.")(command)
    return click.option("--csv", "format_", flag_value="csv", default="csv", help="Write CSV, as without it.")(command)


@contextmanager
def app() -> Iterator[App]:
    """The app of the environment's settings, on a database that is up to date."""
    with wiring.open_app(settings.load()) as opened:
        yield opened


def told_as_of(moment: Moment) -> None:
    """Of when a report is that was read from a copy of the database."""
    if moment.is_copied:
        local = moment.now.astimezone(moment.zone)
        click.echo(f"Read from the copy of the database, as of {local:%Y-%m-%d %H:%M} {moment.zone.key}.", err=True)


def moment_of(app: App, *, dry_run: bool) -> AbstractContextManager[Moment]:
    """A transaction; one that leaves nothing for a dry run."""
    return app.undone() if dry_run else app.transaction()


def told(said: str, *, dry_run: bool, err: bool = False) -> None:
    """What a change did, or would have done."""
    click.echo(f"{TRIED}{said}" if dry_run else said, err=err)


def text_of(path: Path) -> str:
    """The text of a file, or a Refusal that says why there is none."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal("file_unreadable", f"{path} cannot be read: {error}.") from error


def actor() -> str:
    """Who the audit log names for what is done on the command line."""
    return f"cli:{login()}"


def speaker(email: str | None = None) -> Speaker:
    """Whose word a command is."""
    return Speaker(login(), email)


def login() -> str:
    """The name under which someone is logged in to this machine."""
    return getpass.getuser()


def print_json(content: object) -> None:
    click.echo(json.dumps(content, indent=2, default=str))


def token_text(amount: MicroTokens) -> str:
    """Tokens with all six decimals, as programs read them."""
    return f"{amount.decimal:.6f}"


def usd_text(amount: NanoUSD) -> str:
    """USD with all nine decimals, as programs read them."""
    return f"{amount.decimal:.9f}"


def plain(view: Any) -> Any:  # noqa: ANN401 - any view
    """A view for programs: amounts are decimal strings, under names that say of what."""
    if dataclasses.is_dataclass(view):
        return {_named(f.name, str(f.type)): plain(getattr(view, f.name)) for f in dataclasses.fields(view)}
    if isinstance(view, Mapping):
        return {name: plain(value) for name, value in view.items()}
    if isinstance(view, list | tuple):
        return [plain(value) for value in view]
    if isinstance(view, MicroTokens):
        return token_text(view)
    if isinstance(view, NanoUSD):
        return usd_text(view)
    return f"{view:f}" if isinstance(view, Decimal) else view


def _named(name: str, annotation: str) -> str:
    unit = "_tokens" if "MicroTokens" in annotation else "_usd" if "NanoUSD" in annotation else ""
    return name if name.endswith(unit) else name + unit


def print_table(heading: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A plain table; numbers are told by their digits and set to the right."""
    cells = [[str(cell) for cell in row] for row in (heading, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heading))]
    for row in cells:
        line = (c.rjust(w) if c[:1].lstrip("-").isdigit() else c.ljust(w) for c, w in zip(row, widths, strict=True))
        click.echo("  ".join(line).rstrip())


class MonthType(click.ParamType[Month]):
    """A month such as 2026-11."""

    name = "YYYY-MM"

    def convert(self, value: str | Month, param: click.Parameter | None, ctx: click.Context | None) -> Month:
        if isinstance(value, Month):
            return value
        try:
            return month_named(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class QuarterType(click.ParamType[Quarter]):
    """A quarter such as 2027-Q1."""

    name = "YYYY-QN"

    def convert(self, value: str | Quarter, param: click.Parameter | None, ctx: click.Context | None) -> Quarter:
        if isinstance(value, Quarter):
            return value
        try:
            quarter = Quarter.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not FIRST_YEAR <= quarter.year <= LAST_YEAR:
            self.fail(f"{value!r} is not in the years {FIRST_YEAR} to {LAST_YEAR}", param, ctx)
        return quarter


class UsdType(click.ParamType[NanoUSD]):
    """An amount of USD such as 160,000 or 1234.56."""

    name = "USD"

    def convert(self, value: str | NanoUSD, param: click.Parameter | None, ctx: click.Context | None) -> NanoUSD:
        if isinstance(value, NanoUSD):
            return value
        try:
            amount = amounts.usd(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if amount <= 0:
            self.fail(f"{value!r} is not above zero", param, ctx)
        return amount


_RATE = re.compile(r"[0-9]+\.[0-9]+", re.ASCII)


class RateType(click.ParamType[NanoUSD]):
    """What a unit is worth in USD, such as 1.085: three decimals are usual, and no point parts thousands."""

    name = "USD"

    def convert(self, value: str | NanoUSD, param: click.Parameter | None, ctx: click.Context | None) -> NanoUSD:
        if isinstance(value, NanoUSD):
            return value
        try:
            rate = NanoUSD.parse(value)
        except ValueError as error:
            point = value.replace(",", ".")
            comma = f"{value!r} has a comma where I read a point. Write {point}." if _RATE.fullmatch(point) else ""
            self.fail(comma or str(error), param, ctx)
        if rate <= 0:
            self.fail(f"{value!r} is not above zero", param, ctx)
        return rate


class InstantType(click.ParamType[datetime]):
    """An instant such as 2026-12-01T09:00:00+01:00, with its offset."""

    name = "ISO"

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            instant = require_aware(datetime.fromisoformat(value))
        except ValueError:
            self.fail(f"{value!r} is not an instant such as 2026-12-01T09:00:00+01:00", param, ctx)
        if not FIRST_YEAR <= instant.year <= LAST_YEAR:
            self.fail(f"{value!r} is not in the years {FIRST_YEAR} to {LAST_YEAR}", param, ctx)
        return instant.astimezone(UTC)


class TokensType(click.ParamType[MicroTokens]):
    """An amount of tokens such as 125k, 1,500 or 0.25."""

    name = "TOKENS"

    def convert(
        self, value: str | MicroTokens, param: click.Parameter | None, ctx: click.Context | None
    ) -> MicroTokens:
        if isinstance(value, MicroTokens):
            return value
        try:
            return amounts.tokens(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class DayType(click.ParamType[date]):
    """A date such as 2026-11-30, read as in files: other ways are told with what they may mean."""

    name = "YYYY-MM-DD"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return cells.day(value.strip())
        except ValueError as error:
            meant = f"; {error}" if isinstance(error, cells.WrongCellError) and str(error) else ""
            self.fail(f"{value!r} is not a date such as 2026-11-30{meant}", param, ctx)
