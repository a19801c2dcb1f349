"""`invoices`: bills of vendors, as finance takes them in and looks at them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

from bot.cli import common
from handlers.invoices import files
from policy.bills import KEPT, OUTSIDE, PERSON, PROJECT, ROUNDING
from policy.counting import many
from policy.reasons import Refusal
from policy.units import NanoUSD, split_by_largest_remainder
from programme.invoices import showing, told
from programme.invoices.taking import Import
from programme.invoices.told import CONTINUED, STAYS, SUPERSEDED, TAKEN, WAITS
from store.invoices import bills as store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from handlers.invoices.files import Done, Imported
    from policy.bills import Sum
    from policy.period import Month
    from store.invoices.bills import Bill

T = TypeVar("T")
CENT = 10_000_000
SAID = {
    PERSON: "used by people",
    PROJECT: "used for projects",
    "by use": "shared by use",
    "evenly": "shared evenly",
    "to the pool": "paid by the pool",
    "to the company": "paid by the company",
    KEPT: "kept beside what gateways report",
    OUTSIDE: "outside of the programme",
    ROUNDING: "rounding",
}
BECAME = {
    TAKEN: "taken in",
    STAYS: "it stands so already",
    CONTINUED: "continued where an import had stopped",
    SUPERSEDED: "a file that was issued later stands",
    WAITS: "it waits until somebody else from finance imports the same file with `--by`",
}

files_argument = click.argument("files", nargs=-1, required=True, type=click.File("rb"), metavar="FILE...")
issued_option = click.option(
    "--issued", type=common.InstantType(), help="When the vendor issued it. Left out: now, or as at its first import."
)
whole_option = click.option(
    "--whole", is_flag=True, help="It is the whole bill, although it lacks much of what stands."
)


@click.group()
def invoices() -> None:
    """Bills of vendors: what they charged, and who bears it."""


@invoices.command("import")
@files_argument
@issued_option
@whole_option
@common.second_word_option
@common.dry_run_option
@common.json_option
def import_(
    files: Sequence[BinaryIO],
    *,
    issued: datetime | None,
    whole: bool,
    spoken_by: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import a bill in FOCUS's columns, 1.0 to 1.4, as CSV (also .gz) or Parquet; its parts in one command.

    What a tag names becomes usage, the rest is shared by the handbook's keys ([invoices]). A later file of the same
    account and period takes the place of the earlier one, and posts the difference. Of a settled month, a large one
    takes two people from finance: the second imports the same file.
    """
    take_in(files, Import(issued, whole, common.actor(), common.speaker(spoken_by)), dry_run=dry_run, as_json=as_json)


def take_in(given: Sequence[BinaryIO], by: Import, *, dry_run: bool, as_json: bool) -> None:
    """Import files of bills, or try to, and say what became of them."""
    for file in given:
        if not file.seekable():
            raise Refusal("not_a_file", f"{file.name} cannot be read twice.", next_step="Save it to a file first.")
    size = sum(os.fstat(file.fileno()).st_size for file in given)
    with common.app() as app, click.progressbar(length=size, label="Reading", file=sys.stderr) as bar:
        take = files.try_files if dry_run else files.import_files
        done = take(app, given, by, progress=bar.update)
    if as_json:
        common.print_json({**done.counts, "bills": [_plain(one) for one in done.bills], "dry_run": dry_run})
    else:
        _tell(done, dry_run=dry_run)


def _tell(done: Imported, *, dry_run: bool) -> None:
    for one in done.bills:
        name, change = one.change.name, one.change
        common.told(
            f"{name.account}, {name.period:%Y-%m}: USD {_usd(change.whole.nano_usd)}"
            f" in {many(change.whole.rows, 'row')}; {BECAME[change.becomes]}.",
            dry_run=dry_run,
        )
        _tell_fates(told.by_fate(change.told.items()))
        if change.stood is not None and change.becomes in {TAKEN, WAITS}:
            was = change.whole.nano_usd - change.stood.nano_usd
            click.echo(
                f"  USD {_usd(was, signed=True)} against {change.stood.file.name}:"
                f" {many(len(change.added), 'line')} added, {len(change.changed):,} changed, {len(change.gone):,} gone"
            )
        _tell_waiting(one)
    click.echo(", ".join(f"{count:,} {status}" for status, count in done.counts.items()))


def _tell_fates(fates: Mapping[str, Sum]) -> None:
    """The parts of a bill, which add up to its total to the cent."""
    for bears, cents in _in_cents(fates).items():
        click.echo(f"  USD {_usd(cents * CENT):>15}  {SAID[bears]}")


def _in_cents(fates: Mapping[str, Sum]) -> dict[str, int]:
    """The parts in cents, in one order; they add up to what the whole is in cents."""
    whole = NanoUSD(told.total(fates.values()).nano_usd)
    return _apportioned({bears: fates[bears] for bears in SAID if bears in fates}, round(whole.decimal * 100))


def _apportioned(costs: Mapping[T, Sum], cents: int) -> dict[T, int]:
    """Whole cents by largest remainder."""
    floors = {name: cost.nano_usd // CENT for name, cost in costs.items()}
    left = [cost.nano_usd - floors[name] * CENT for name, cost in costs.items()]
    missing = max(cents - sum(floors.values()), 0)
    extra = split_by_largest_remainder(missing, left) if any(left) else [0] * len(left)
    return {name: floors[name] + more for name, more in zip(floors, extra, strict=True)}


def _tell_waiting(one: Done) -> None:
    if one.waiting and one.waiting.lines:
        click.echo(
            f"  USD {_usd(one.waiting.nano_usd)} of it waits in quarantine, in {many(one.waiting.lines, 'line')}"
            " of usage (`tokens-bot quarantine list`)."
        )
    for why, count in one.details.most_common(10):
        click.echo(f"    {count:,} x {why}")


def _usd(nano_usd: int, *, signed: bool = False) -> str:
    return f"{NanoUSD(nano_usd).decimal:+,.2f}" if signed else f"{NanoUSD(nano_usd).decimal:,.2f}"


def _plain(one: Done) -> dict[str, Any]:
    change = one.change
    return {
        "account": change.name.account,
        "period": f"{change.name.period}",
        "becomes": change.becomes,
        "rows": change.whole.rows,
        "billed_usd": _exact(change.whole),
        "parts_usd": {SAID[bears]: _exact(cost) for bears, cost in told.by_fate(change.told.items()).items()},
        "lines": {"added": len(change.added), "changed": len(change.changed), "gone": len(change.gone)},
        "usage": dict(one.outcomes),
    }


def _exact(cost: Sum) -> str:
    return common.usd_text(NanoUSD(cost.nano_usd))


@invoices.command("list")
@click.option("--month", type=common.MonthType(), help="Of the billing period; all when left out.")
@common.json_option
def list_(*, month: Month | None, as_json: bool) -> None:
    """List the bills that stand, and what of each waits in quarantine."""
    with common.app() as app, app.reading() as moment:
        rows = [(bill, showing.waiting(moment, bill.name)) for bill in showing.bills_of(moment, month)]
    if as_json:
        common.print_json(
            [{**_of_bill(bill), "waiting_usd": common.usd_text(NanoUSD(held.nano_usd))} for bill, held in rows]
        )
        return
    table = [
        (
            bill.id,
            bill.name.account,
            f"{bill.name.period:%Y-%m}",
            _usd(bill.nano_usd),
            _usd(held.nano_usd),
            bill.file.name,
        )
        for bill, held in rows
    ]
    common.print_table(("id", "account", "period", "USD", "waits", "file"), table)
    for bill, _ in rows:
        if bill.posted_at is None:
            click.echo(f"The import of bill {bill.id} was interrupted. Import {bill.file.name} again.", err=True)


def _of_bill(bill: Bill) -> dict[str, Any]:
    return {
        "id": bill.id,
        "account": bill.name.account,
        "period": f"{bill.name.period}",
        "file": bill.file.name,
        "issued_at": bill.file.issued_at.isoformat(),
        "rows": bill.rows,
        "billed_usd": common.usd_text(NanoUSD(bill.nano_usd)),
        "is_posted": bill.posted_at is not None,
    }


@invoices.command("show")
@click.argument("bill_id", type=common.COUNTED, metavar="ID")
@common.json_option
def show(bill_id: int, *, as_json: bool) -> None:
    """Show who bears a bill, by service; `invoices list` has the ids."""
    with common.app() as app, app.reading() as moment:
        bill = store.get(moment.session, bill_id)
        if bill is None:
            raise Refusal("no_such_bill", f"There is no bill {bill_id}.", next_step="See `tokens-bot invoices list`.")
        shown = showing.show(moment, bill)
    if as_json:
        services = [
            {"part": SAID[bears], "service": service, "rows": cost.rows, "usd": _exact(cost)}
            for (bears, service), cost in sorted(shown.by_service.items())
        ]
        common.print_json({**_of_bill(bill), "services": services, "bearers": dict(shown.borne)})
        return
    click.echo(
        f"{bill.name.account}, {bill.name.period:%Y-%m}: USD {_usd(bill.nano_usd)} in {many(bill.rows, 'row')} of"
        f" {bill.file.name}"
    )
    _tell_fates(shown.by_fate)
    for bears, count in shown.borne.items():
        click.echo(f"  {SAID[bears]}: {many(count, 'account')}")
    table = []
    for bears, cents in _in_cents(shown.by_fate).items():
        own = {service: cost for (part, service), cost in sorted(shown.by_service.items()) if part == bears}
        for service, some in _apportioned(own, cents).items():
            table.append((SAID[bears], service, f"{own[service].rows:,}", _usd(some * CENT)))
    common.print_table(("part", "service", "rows", "USD"), table)
