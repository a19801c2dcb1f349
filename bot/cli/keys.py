"""`keys create`, `keys revoke`, `keys list`."""

from __future__ import annotations

import click

from bot.cli import common
from programme.usage import keys as programme_keys
from store.usage import keys as key_store


@click.group()
def keys() -> None:
    """Keys by which gateways report usage."""


@keys.command("create")
@click.argument("name")
@click.option("--source", help="The CloudEvents source it may report for; NAME when left out.")
@click.option("--scope", "scopes", multiple=True, default=["usage:write"], show_default=True)
@common.json_option
def create_key(name: str, *, source: str | None, scopes: tuple[str, ...], as_json: bool) -> None:
    """Create a key and show it, once."""
    with common.app() as app, app.transaction() as moment:
        key = programme_keys.create(moment, name=name, source=source or name, scopes=scopes, actor=common.actor())
    if as_json:
        common.print_json({"id": key.id, "secret": key.secret, "source": source or name})
        return
    click.echo(key.secret)
    click.echo(f"Key {key.id} for source {source or name!r}. It is shown only this once.", err=True)


@keys.command("revoke")
@click.argument("name")
def revoke_key(name: str) -> None:
    """End a key at once, by its name or id."""
    with common.app() as app, app.transaction() as moment:
        programme_keys.revoke(moment, name, actor=common.actor())
    click.echo(f"{name} is revoked.")


@keys.command("list")
@common.json_option
def list_keys(*, as_json: bool) -> None:
    """List every key, without its secret."""
    with common.app() as app, app.database.reading() as session:
        found = key_store.listed(session)
    rows = [
        (
            k.id,
            k.name,
            k.source,
            " ".join(sorted(k.scopes)),
            f"{k.created_at:%Y-%m-%d}",
            "revoked" if k.revoked_at else "",
        )
        for k in found
    ]
    heading = ("id", "name", "source", "scopes", "created", "state")
    if as_json:
        common.print_json([dict(zip(heading, row, strict=True)) for row in rows])
    else:
        common.print_table(heading, rows)
