"""`usage conflicts list`, `usage rejected list`: answers that a gateway may not have read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bot.cli import common, listing
from policy.counting import many
from programme.usage import refusals
from store.usage import refusals as store

if TYPE_CHECKING:
    from programme.usage.refusals import StandingConflict
    from store.usage.refusals import Refusals, Rejection

source_option = click.option("--source", help="Only of this gateway.")


@click.group(cls=listing.Lists)
def conflicts() -> None:
    """Usage that came under the id of an event with other content."""


@conflicts.command("list")
@source_option
@listing.limit_option
@common.json_option
def list_conflicts(*, source: str | None, limit: int, as_json: bool) -> None:
    """List what stands under an id and what was offered instead, since when and how often; the latest first."""
    with common.app() as app, app.reading() as moment:
        found = refusals.conflicts(moment, limit=limit, source=source)
        total = store.count_conflicts(moment.session, source=source)
    if as_json:
        common.print_json({"total": total, "conflicts": [_conflict(one) for one in found]})
        return
    for one in found:
        click.echo(f"{one.source}/{one.event_id} ({one.state}): {_how_often(one)}")
        for field in one.fields:
            click.echo(f"  {field}: {_text(one.stands[field])} stands, {_text(one.offered[field])} was offered")
    click.echo(f"{many(total, 'conflict')}.")


def _how_often(one: StandingConflict) -> str:
    first, last = f"{one.first_seen_at:%Y-%m-%d}", f"{one.last_seen_at:%Y-%m-%d}"
    when = f"on {first}" if first == last else f"from {first} to {last}"
    return f"offered {'once' if one.times == 1 else many(one.times, 'time')} {when}"


def _conflict(one: StandingConflict) -> dict[str, object]:
    return {
        "source": one.source,
        "event_id": one.event_id,
        "state": one.state,
        "differs_in": list(one.fields),
        "stands": one.stands,
        "offered": one.offered,
        "first_seen_at": one.first_seen_at.isoformat(),
        "last_seen_at": one.last_seen_at.isoformat(),
        "times": one.times,
    }


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count:,} {meter}" for meter, count in sorted(value.items())) or "nothing"
    if isinstance(value, list):
        return ", ".join(f"{kind} {name!r}" for kind, name in value) or "no one"
    return str(value) or "none"


@click.group(cls=listing.Lists)
def rejected() -> None:
    """Usage that could not be read and was not taken in."""


@rejected.command("list")
@source_option
@listing.limit_option
@common.json_option
def list_rejected(*, source: str | None, limit: int, as_json: bool) -> None:
    """Count rejected events by gateway and reason, and list the latest; their contents are never kept."""
    with common.app() as app, app.reading() as moment:
        totals = [one for one in store.totals(moment.session) if one.status == "rejected"]
        counts = [one for one in totals if source in {None, one.source}]
        found = store.rejections(moment.session, limit=limit, source=source)
    if as_json:
        common.print_json({"counts": [_count(one) for one in counts], "events": [_event(one) for one in found]})
        return
    if found:
        common.print_table(
            ("last_seen", "source", "event_id", "reason", "expected", "times"), [_row(one) for one in found]
        )
    for one in counts:
        click.echo(f"{one.events:,} of {one.source} because of {one.reason}.")
    click.echo(f"{sum(one.events for one in counts):,} rejected.")


HEADING = ("last_seen", "source", "event_id", "reason", "expected", "times")


def _count(one: Refusals) -> dict[str, object]:
    return {"source": one.source, "reason": one.reason, "events": one.events}


def _event(one: Rejection) -> dict[str, object]:
    seen = {"first_seen_at": one.first_seen_at.isoformat(), "last_seen_at": one.last_seen_at.isoformat()}
    return one._asdict() | seen


def _row(one: Rejection) -> tuple[object, ...]:
    seen = listing.instant(one.last_seen_at)
    return seen, one.source, one.event_id or "–", one.reason, one.detail, one.times
