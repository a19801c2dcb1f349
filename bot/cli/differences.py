"""`usage differences`: what gateways think that calls cost, where we posted something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bot.cli import common, listing
from policy.counting import many
from policy.metering import named
from programme.usage import second_opinion

if TYPE_CHECKING:
    from store.usage.quotes import Apart, Difference


@click.command("differences")
@click.option("--limit", type=common.COUNTED, default=20, show_default=True, help="So many of the latest events.")
@click.option("--source", help="Only of this gateway.")
@common.json_option
def list_differences(*, limit: int, source: str | None, as_json: bool) -> None:
    """List calls for which the gateway itself reckons with another price than we posted.

    Ours stays until a price or a count is corrected. The handbook says from which difference on (`[usage]
    quote_tolerance`).
    """
    with common.app() as app, app.reading() as moment:
        by_model, latest = second_opinion.differences(moment, limit=limit, source=source)
    if as_json:
        common.print_json({"by_model": [_group(one) for one in by_model], "events": [_event(one) for one in latest]})
        return
    if by_model:
        rows = [
            (one.source, named(one.provider, one.model, one.tier), f"{one.events:,}", *_figures(one))
            for one in by_model
        ]
        common.print_table(("source", "model", "events", "ours_usd", "theirs_usd", "ours/theirs"), rows)
        click.echo("\nThe latest:")
        events = [(one.source, one.event_id, listing.instant(one.occurred_at), *_figures(one)) for one in latest]
        common.print_table(("source", "event_id", "occurred_at", "ours_usd", "theirs_usd", "ours/theirs"), events)
    total = sum(one.events for one in by_model)
    click.echo(f"{many(total, 'event differs', 'events differ')}.")


def _figures(one: Apart | Difference) -> tuple[str, str, str]:
    return listing.written(one.cost), listing.written(one.quoted), f"{int(one.cost) / int(one.quoted):.1%}"


def _group(one: Apart) -> dict[str, Any]:
    return {**_model(one), "events": one.events, **_costs(one)}


def _event(one: Difference) -> dict[str, Any]:
    when = one.occurred_at.isoformat()
    return {"source": one.source, "event_id": one.event_id, "occurred_at": when, **_model(one), **_costs(one)}


def _model(one: Apart | Difference) -> dict[str, str]:
    return {"source": one.source, "provider": one.provider, "model": one.model, "tier": one.tier}


def _costs(one: Apart | Difference) -> dict[str, str]:
    return {"cost_usd": common.usd_text(one.cost), "quoted_usd": common.usd_text(one.quoted)}
