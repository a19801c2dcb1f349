"""`vendors sync`, `vendors list`: what vendors say they counted and charged."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from bot import settings
from bot.cli import common, listing
from policy.counting import many
from policy.reasons import Refusal
from policy.vendors import VENDORS
from scheduler.vendors import syncing
from store.vendors import lines as store

if TYPE_CHECKING:
    from datetime import date

    from policy.vendors import Line, Vendor
    from programme.vendors.taking import Changed
    from scheduler.vendors.client import Access
    from store.vendors.lines import Sync


@click.group()
def vendors() -> None:
    """What OpenAI and Anthropic say they counted and charged."""


@vendors.command("sync")
@click.argument("vendor", type=click.Choice(VENDORS))
@click.option("--from", "first", type=common.DayType(), required=True, help="The first day, in UTC.")
@click.option("--until", "last", type=common.DayType(), required=True, help="The last day, in UTC.")
@common.dry_run_option
@common.json_option
def sync(vendor: Vendor, *, first: date, last: date, dry_run: bool, as_json: bool) -> None:
    """Fetch what a vendor counted and charged on some days.

    A later sync of the same days replaces what it says otherwise, and tells what that was. Costs come in up to a day
    after the usage.
    """
    access = _access(vendor)
    with common.app() as app:
        within = partial(common.moment_of, app, dry_run=dry_run)
        taken = syncing.sync(app, access, first, last, actor=common.actor(), within=within)
    if as_json:
        replaced = [_changed(one) for one in taken.told]
        common.print_json({**_sync(taken.sync), "replaced": replaced, "dry_run": dry_run})
        return
    sync = taken.sync
    common.told(
        f"{vendor}, {first} to {last}: {many(sync.lines, 'line')}; {sync.added:,} new, {sync.changed:,} changed,"
        f" {sync.gone:,} gone.",
        dry_run=dry_run,
    )
    if taken.told:
        rows = [(str(one.place.day), one.place.kind, *_told(one)) for one in taken.told]
        common.print_table(("day", "kind", "of", "was", "is"), rows)


@vendors.command("list")
@click.option("--vendor", type=click.Choice(VENDORS), help="Only of this vendor.")
@listing.limit_option
@common.json_option
def list_syncs(*, vendor: Vendor | None, limit: int, as_json: bool) -> None:
    """List the latest syncs."""
    with common.app() as app, app.reading() as moment:
        found = store.latest_syncs(moment.session, limit=limit, vendor=vendor)
    if as_json:
        common.print_json([_sync(one) for one in found])
    elif found:
        common.print_table(tuple(_sync(found[0])), [tuple(_sync(one).values()) for one in found])
    else:
        click.echo("No vendor was asked yet. See `tokens-bot vendors sync --help`.")


def _access(vendor: Vendor) -> Access:
    for access in settings.load().vendors:
        if access.vendor == vendor:
            return access
    name = f"{vendor.upper()}_ADMIN_KEY"
    raise Refusal("no_vendor_key", f"{name} is not set.", next_step="Set it to an admin key of the organisation.")


def _sync(one: Sync) -> dict[str, Any]:
    return {
        name: str(value) if name.endswith("day") else value.isoformat() if name == "synced_at" else value
        for name, value in one._asdict().items()
    }


def _changed(one: Changed) -> dict[str, Any]:
    place = {**one.place._asdict(), "day": str(one.place.day)}
    return {**place, "was": _figures(one.before), "is": _figures(one.after)}


def _figures(line: Line | None) -> dict[str, Any] | None:
    if line is None:
        return None
    usd = None if line.amount is None else common.usd_text(line.amount)
    return {"meters": line.meters, "calls": line.calls, "amount_usd": usd}


def _told(one: Changed) -> tuple[str, str, str]:
    place = one.place
    of = " ".join(filter(None, (place.key, place.project, place.model, place.tier, place.item)))
    return of, _short(one.before), _short(one.after)


def _short(line: Line | None) -> str:
    if line is None:
        return "nothing"
    if line.amount is not None:
        return f"USD {listing.written(line.amount)}"
    return ", ".join(f"{meter} {count:,}" for meter, count in line.meters.items()) or "nothing"
