"""`reconcile run`, `reconcile show`, `reconcile accept`, `reconcile correct`: the ledger beside vendors' figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bot.cli import common
from policy.counting import many
from policy.period import Month
from policy.units import NanoUSD
from policy.vendors import VENDORS
from programme.people import directory
from programme.reconciliation import comparing, deciding, showing
from programme.reconciliation.deciding import ACCEPT, WAYS, Choice
from views.reconciliation import CORRECTING, WAITING

if TYPE_CHECKING:
    from collections.abc import Callable

    from programme.moment import Moment
    from programme.reconciliation.showing import Shown
    from views.reconciliation import Found, Sums

month_option = click.option(
    "--month", type=common.MonthType(), help="The vendors' month, in UTC; this one if left out."
)
by_option = click.option("--by", "email", metavar="EMAIL", required=True, help="Who decides it: someone from finance.")
reason_option = click.option("--reason", required=True, help="Why; it is kept with the decision.")


@click.group()
def reconcile() -> None:
    """The ledger beside what vendors counted and charged."""


@reconcile.command("run")
@click.argument("vendor", type=click.Choice(VENDORS))
@month_option
@common.dry_run_option
@common.json_option
def run(vendor: str, *, month: Month | None, dry_run: bool, as_json: bool) -> None:
    """Compare a month with what a vendor was last asked for; it runs by itself each night."""
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        named = month or Month.containing(moment.today)
        comparing.reconcile(moment, vendor, named)
        shown = [one for one in showing.of(moment, named) if one.sums.vendor == vendor]
    _print(shown, named, as_json=as_json)
    if not as_json:
        common.told(f"{named} is compared with {vendor}.", dry_run=dry_run)


@reconcile.command("show")
@month_option
@common.json_option
def show(*, month: Month | None, as_json: bool) -> None:
    """Show how a month adds up beside each vendor, and every difference with its cause and what became of it."""
    with common.app() as app, app.reading() as moment:
        named = month or Month.containing(moment.today)
        shown = showing.of(moment, named)
    _print(shown, named, as_json=as_json)


@reconcile.command("accept")
@click.argument("finding")
@by_option
@reason_option
@common.dry_run_option
def accept(finding: str, *, email: str, reason: str, dry_run: bool) -> None:
    """Leave a difference as it is, and say why."""
    _choose(finding, email, (ACCEPT, reason), dry_run=dry_run)


@reconcile.command("correct")
@click.argument("finding")
@click.option(
    "--by-way-of",
    "way",
    type=click.Choice([way for way in WAYS if way != ACCEPT]),
    required=True,
    help="calls: correct the calls that were reported wrongly. persons, pool, company: post what is open to those who"
    " used it, in proportion; to the shared pool; to the company.",
)
@by_option
@reason_option
@common.dry_run_option
def correct(finding: str, *, way: str, email: str, reason: str, dry_run: bool) -> None:
    """Put a difference right; a large one waits until someone else from finance confirms it, here or in Slack."""
    _choose(finding, email, (way, reason), dry_run=dry_run)


@reconcile.command("confirm")
@click.argument("finding")
@by_option
@common.dry_run_option
def confirm(finding: str, *, email: str, dry_run: bool) -> None:
    """Confirm what somebody else from finance chose, as the second person; it is done at once."""
    _settle(finding, email, deciding.confirm, dry_run=dry_run)


@reconcile.command("decline")
@click.argument("finding")
@by_option
@common.dry_run_option
def decline(finding: str, *, email: str, dry_run: bool) -> None:
    """Take back what waits for a second person; the difference is open again."""
    _settle(finding, email, deciding.reopen, dry_run=dry_run)


def _settle(finding_id: str, email: str, decide: Callable[..., Found], *, dry_run: bool) -> None:
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        person = directory.require(moment, email)
        found = showing.require(moment, finding_id)
        done = decide(moment, person, found.id, found.revision, login=common.login())
    common.told(f"{finding_id} is {done.state}.", dry_run=dry_run)


def _choose(finding_id: str, email: str, what: tuple[str, str], *, dry_run: bool) -> None:
    """Do it, and say what came of it; the calls that are corrected by it are corrected some at a time."""
    with common.app() as app:
        with common.moment_of(app, dry_run=dry_run) as moment:
            person = directory.require(moment, email)
            found = showing.require(moment, finding_id)
            done = deciding.choose(moment, person, Choice(found.id, found.revision, *what), login=common.login())
            while dry_run and done.state == CORRECTING:
                done = _mended_further(moment, finding_id)
        while done.state == CORRECTING:
            with app.transaction() as moment:
                done = _mended_further(moment, finding_id)
    if done.state == WAITING:
        said = "It waits for a second person from finance: `reconcile confirm`, or in Slack."
    elif "corrected" in (decision := done.decision or {}):
        said = f"{int(decision['corrected']):,} calls corrected."
    else:
        said = f"{finding_id} is {done.state}."
    common.told(said, dry_run=dry_run)


def _mended_further(moment: Moment, finding_id: str) -> Found:
    deciding.mend_some(moment)
    return showing.require(moment, finding_id)


def _print(shown: list[Shown], month: Month, *, as_json: bool) -> None:
    if as_json:
        common.print_json([_plain(one) for one in shown])
        return
    if not shown:
        click.echo(f"No vendor was compared with {month} yet. See `tokens-bot reconcile run --help`.")
    for one in shown:
        _print_one(one)


def _print_one(one: Shown) -> None:
    sums = one.sums
    click.echo(f"{sums.vendor}, {sums.first} to {sums.last} (UTC): {_verdict(one)}")
    rows = [("charged by the vendor", _usd(sums.charged)), ("posted by us", _usd(sums.posted))]
    rows.append(("differences", _usd(_differences(sums))))
    if settled := sum(int(found.settled) for found in one.findings):
        rows.append(("of them posted as adjustments", _usd(NanoUSD(settled))))
    rows.append(("too small to tell of", _usd(sums.small)))
    if sums.pending:
        rows.append((f"not charged yet, since {sums.pending[0]}", _usd(sums.pending_usd)))
    if sums.uncharged:
        rows.append(("of tiers that are paid for in advance", _usd(sums.uncharged)))
    common.print_table(("", "usd"), rows)
    for found in one.findings:
        click.echo(f"\n{found.id} is {found.state}, USD {_usd(found.amount)} ({found.first} to {found.last})")
        for text in found.evidence:
            click.echo(f"  {text}")
        for model in found.models:
            counts = ", ".join(f"{meter} {count:+,}" for meter, count in model["counts"].items())
            click.echo(f"  {model['model'] or 'no model named'}: USD {_usd(NanoUSD(model['amount']))}. {counts}")


def _verdict(one: Shown) -> str:
    if (n := len(one.undecided)) > 0:
        return f"{many(n, 'difference is', 'differences are')} open."
    return "it agrees." if not one.findings else "every difference is decided."


def _usd(amount: NanoUSD) -> str:
    return f"{amount.decimal:,.2f}"


def _plain(one: Shown) -> dict[str, Any]:
    return {**_sums(one.sums), "findings": [_finding(found) for found in one.findings]}


def _sums(sums: Sums) -> dict[str, Any]:
    return {**common.plain(sums), "differences_usd": common.usd_text(_differences(sums))}


def _differences(sums: Sums) -> NanoUSD:
    """What they come to by now: what is charged or will be, without what is posted and what is too small to tell of."""
    return sums.charged + sums.pending_usd - sums.posted - sums.small


def _finding(found: Found) -> dict[str, Any]:
    models = [
        {**{k: v for k, v in one.items() if k != "amount"}, "amount_usd": common.usd_text(NanoUSD(one["amount"]))}
        for one in found.models
    ]
    return {
        "id": found.id,
        "cause": found.cause,
        "source": found.source,
        "state": found.state,
        "amount_usd": common.usd_text(found.amount),
        "moved_usd": common.usd_text(found.moved),
        "settled_usd": common.usd_text(found.settled),
        "first": found.first,
        "last": found.last,
        "models": models,
        "evidence": found.content["evidence"],
        "decision": found.decision,
    }
