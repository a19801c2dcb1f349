"""`export focus`: a month's charges as a file of FOCUS."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, BinaryIO

import click

from bot.cli import common
from handlers import tables
from handlers.finance import focus_writing
from handlers.finance.focus_columns import SPECS
from policy.counting import many
from policy.reasons import Refusal
from programme.anchors import note_export
from programme.finance import month_charges
from programme.finance.months import Months

if TYPE_CHECKING:
    from handlers.finance.focus_columns import Spec
    from handlers.tables import Format
    from policy.period import Month


@click.command("focus")
@click.option("--month", type=common.MonthType(), required=True)
@click.option("--spec", type=click.Choice(SPECS), default=SPECS[-1], show_default=True, help="Version of FOCUS.")
@click.option("--format", "named", type=click.Choice(tables.FORMATS), help="The same as --csv, --json, --parquet.")
@common.out_option
@common.format_options
def export_focus(*, month: Month, spec: Spec, named: Format | None, format_: Format, out: BinaryIO) -> None:
    """Write a month's charges for finance, in the columns of FOCUS's Cost and Usage dataset.

    A row is what a cost centre, or a person under their id, used of one meter of a model on a day for a project; the
    handbook's [finance] says which. Corrections of months that were settled are adjustments, grants are purchases that
    cost nothing. The audit log records the export.
    """
    with common.app() as app:
        with app.reporting(throughout=True) as copied:
            told = Months(copied, month)
            if month.first_day > told.moment.today:
                raise Refusal("month_ahead", f"{month} has not begun.", next_step="Name a month that has.")
            is_final, is_elsewhere = told.is_final, month_charges.stands_later(told)
            lines = focus_writing.write(out, told, month_charges.of(told), spec, named or format_)
        with app.transaction() as moment:
            note_export(moment, "focus.export", actor=common.actor(), lines=lines)
    common.told_as_of(copied)
    click.echo(f"{many(lines, 'row')}.", file=sys.stderr)
    if not is_final:
        day = told.settled_at(month).astimezone(told.moment.zone).date()
        click.echo(f"{month} is not settled: what is posted before {day} is still added to it.", file=sys.stderr)
    if is_elsewhere:
        click.echo(
            f"Some of {month} was posted once it was settled. It is an adjustment in the month that was running then.",
            file=sys.stderr,
        )
