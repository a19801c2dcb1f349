"""`close month`, `close journal`, `close list`: months that stay as they are, and their journals for accounting."""

from __future__ import annotations

from dataclasses import asdict, astuple, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from bot.cli import common
from handlers import tables
from handlers.tables import Column, Layout
from policy.reasons import Refusal
from programme import anchors
from programme.closings import closing
from programme.closings.closing import Booked
from store.closings import records

if TYPE_CHECKING:
    from handlers.tables import Format
    from policy.period import Month
    from programme.moment import Moment
    from store.closings.records import Closing

_AMOUNTS = ("debit", "credit", "tokens")
JOURNAL = Layout(tuple(Column(one.name, "number" if one.name in _AMOUNTS else "text") for one in fields(Booked)))


@click.group("close")
def close() -> None:
    """Close months, and export their journals for the accounting system."""


@close.command("month")
@click.argument("month", type=common.MonthType())
@common.dry_run_option
@common.json_option
def close_month(month: Month, *, dry_run: bool, as_json: bool) -> None:
    """Close a month: reconciled, its journal kept, its digest in the audit log.

    What is corrected later is booked in the month that is open then, and names this one.
    """
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        closed = closing.close(moment, month, actor=common.actor())
        rows = closing.booked(moment, closed)
    if as_json:
        journal = [asdict(row) for row in rows]
        common.print_json({**_told(closed), "closed": not dry_run, "journal": journal, "dry_run": dry_run})
        return
    _print(rows)
    click.echo(f"Outstanding at its end: USD {Decimal(_told(closed)['liability_usd']):,}.")
    common.told(f"{month} is closed. Digest: {closed.digest}", dry_run=dry_run)


@close.command("journal")
@click.argument("month", type=common.MonthType())
@common.out_option
@common.format_options
def journal(month: Month, *, out: BinaryIO, format_: Format) -> None:
    """Write a closed month's journal: two legs for each line, whose debits equal its credits."""
    with common.app() as app, app.transaction() as moment:
        rows = closing.booked(moment, _require(moment, month))
        anchors.note_export(moment, "export.journal", actor=common.actor(), lines=len(rows))
    tables.write(out, JOURNAL, map(astuple, rows), format_)


@close.command("list")
@click.option("--since", type=common.MonthType(), help="From this month on.")
@common.json_option
def list_closed(*, since: Month | None, as_json: bool) -> None:
    """List the months that are closed."""
    with common.app() as app, app.reading() as moment:
        closed = records.all_closed(moment.session)
    found = [_told(one) for one in closed if since is None or one.month >= str(since)]
    if as_json:
        common.print_json(found)
    elif found:
        shown = [{**one, "liability_usd": f"{Decimal(one['liability_usd']):,}"} for one in found]
        common.print_table(tuple(found[0]), [tuple(one.values()) for one in shown])
    else:
        click.echo("No such month is closed." if since else "No month is closed yet.")


def _require(moment: Moment, month: Month) -> Closing:
    found = records.get(moment.session, str(month))
    if found is None:
        raise Refusal(
            "not_closed", f"{month} is not closed.", next_step=f"See `tokens-bot close month {month} --dry-run`."
        )
    return found


def _print(rows: list[Booked]) -> None:
    shown = [(row.document, row.account, row.debit, row.credit, row.text, row.service, row.corrects) for row in rows]
    if shown:
        common.print_table(("document", "account", "debit", "credit", "text", "service", "corrects"), shown)


def _told(one: Closing) -> dict[str, Any]:
    cents = int(one.journal["liability_cents"])
    return {
        "month": one.month,
        "closed_at": one.closed_at.isoformat(),
        "closed_by": one.closed_by,
        "liability_usd": f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}",
        "digest": one.digest,
    }
