"""`keys create`, `keys rotate`, `keys revoke`, `keys list`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from bot.cli import common
from policy.counting import many
from policy.period import day_of, first_instant
from programme.usage import keys as programme_keys
from store.usage import keys as key_store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from programme.app import App
    from programme.usage.keys import CreatedKey

MOST_HOURS = 24 * 90


@click.group()
def keys() -> None:
    """Keys by which gateways report usage."""


expires_option = click.option(
    "--expires", "last_day", type=common.DayType(), help="The last day on which it opens; for ever when left out."
)


@keys.command("create")
@click.argument("name")
@click.option("--source", help="The CloudEvents source it may report for; NAME when left out.")
@click.option("--scope", "scopes", multiple=True, default=["usage:write"], show_default=True)
@expires_option
@common.dry_run_option
@common.json_option
def create_key(
    name: str, *, source: str | None, scopes: tuple[str, ...], last_day: date | None, dry_run: bool, as_json: bool
) -> None:
    """Create a key and show it, once."""
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        key = programme_keys.create(
            moment,
            name=name,
            source=source or name,
            scopes=scopes,
            actor=common.actor(),
            expires_at=_end_of(last_day, app),
        )
    said = f"Key {name} opens for source {source or name!r}: {', '.join(scopes)}. It is shown only this once."
    _show(key, {"source": source or name}, said, dry_run=dry_run, as_json=as_json)


def _show(key: CreatedKey, about: Mapping[str, str], said: str, *, dry_run: bool, as_json: bool) -> None:
    """A new secret, alone on the standard output; of a trial there is none, because it opens nothing."""
    if as_json:
        kept = {"id": None, "secret": None} if dry_run else {"id": key.id, "secret": key.secret}
        common.print_json({**kept, **about, "dry_run": dry_run})
        return
    if not dry_run:
        click.echo(key.secret)
    common.told(said, dry_run=dry_run, err=True)


def _end_of(last_day: date | None, app: App) -> datetime | None:
    return first_instant(last_day + timedelta(days=1), app.zone) if last_day else None


@keys.command("rotate")
@click.argument("name")
@click.option(
    "--keep",
    "hours",
    type=click.IntRange(0, MOST_HOURS),
    default=24,
    show_default=True,
    help="For so many hours the old secret opens as well; with 0 it ends at once, as a leak demands.",
)
@expires_option
@common.dry_run_option
@common.json_option
def rotate_key(name: str, *, hours: int, last_day: date | None, dry_run: bool, as_json: bool) -> None:
    """Give a key another secret and show it, once; its name, source and scopes stay.

    Put the new secret into the gateway while the old one still opens, and no report is lost.
    """
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        key = programme_keys.rotate(
            moment,
            name,
            keep=timedelta(hours=hours),
            actor=common.actor(),
            expires_at=_end_of(last_day, app),
        )
    ends = f"opens for {many(hours, 'more hour')}" if hours else "opens nothing any more"
    said = f"The old secret of {name} {ends}. The new one is shown only this once."
    _show(key, {}, said, dry_run=dry_run, as_json=as_json)


@keys.command("revoke")
@click.argument("name")
@common.dry_run_option
def revoke_key(name: str, *, dry_run: bool) -> None:
    """End a key at once, by its name or id."""
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        programme_keys.revoke(moment, name, actor=common.actor())
    common.told(f"{name} is revoked.", dry_run=dry_run)


@keys.command("list")
@click.option("--state", type=click.Choice(["open", "revoked", "expired"]), help="Only in this state.")
@click.option("--source", help="Only of this gateway.")
@common.json_option
def list_keys(*, state: str | None, source: str | None, as_json: bool) -> None:
    """List every key, without its secret."""
    with common.app() as app, app.database.reading() as session:
        now = app.clock()
        found = [
            one
            for one in key_store.listed(session)
            if source in {None, one.source} and state in {None, one.state(now) or "open"}
        ]
    rows = [
        (
            k.id,
            k.name,
            k.source,
            " ".join(sorted(k.scopes)),
            _day(k.created_at, app),
            # It opens until the end of that day.
            _day(k.expires_at and k.expires_at - timedelta.resolution, app),
            _day(k.last_used_at, app),
            k.state(app.clock()),
        )
        for k in found
    ]
    heading = ("id", "name", "source", "scopes", "created", "expires", "last used", "state")
    if as_json:
        common.print_json([dict(zip((one.replace(" ", "_") for one in heading), row, strict=True)) for row in rows])
    else:
        common.print_table(heading, rows)


def _day(instant: datetime | None, app: App) -> str:
    return day_of(instant, app.zone).isoformat() if instant else ""
