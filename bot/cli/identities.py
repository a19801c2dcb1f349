"""`identities add|list|remove`: the names by which gateways know people."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click

from bot.cli import common, listing
from bot.cli.listing import Listing
from policy.metering import IdentityKind
from programme.people import directory
from store.people import identities as store

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

KINDS: tuple[str, ...] = get_args(IdentityKind)


@click.group()
def identities() -> None:
    """The names by which gateways know people."""


def _kind_option(text: str) -> Callable[[Any], Any]:
    return click.option("--kind", type=click.Choice(KINDS), help=text)


kind_option = _kind_option("Left out: email with an @ in VALUE, else user.")
source_option = click.option("--source", default="*", show_default=True, help="The gateway; * for every one.")


def _known_as(kind: IdentityKind | None, value: str) -> IdentityKind:
    return kind or ("email" if "@" in value else "user")


@identities.command("add")
@click.argument("email")
@click.argument("value")
@kind_option
@source_option
@common.dry_run_option
def add_identity(email: str, value: str, *, kind: IdentityKind | None, source: str, dry_run: bool) -> None:
    """Say that VALUE, as gateways report it, is the person with EMAIL.

    `tokens-bot quarantine retry` then posts the usage that is waiting for this name.
    """
    known_as = _known_as(kind, value)
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        person = directory.map_identity(
            moment, source=source, kind=known_as, value=value, email=email, actor=common.actor()
        )
    common.told(f"{known_as} {value!r} of {source} is {person.name} ({person.id}).", dry_run=dry_run)


@identities.command("list")
@click.option("--person", "email", metavar="EMAIL", help="Only this person's.")
@click.option("--source", help="Only this gateway's.")
@_kind_option("Only of this kind.")
@listing.limit_option
@common.json_option
def list_identities(
    *, email: str | None, source: str | None, kind: IdentityKind | None, limit: int, as_json: bool
) -> None:
    """List names and whose they are. Everyone's own e-mail counts besides, and is not listed."""
    with common.app() as app, app.reading() as moment:
        person_id = directory.require(moment, email).id if email else None
        found = store.listed(moment.session, person_id=person_id, source=source, kind=kind, limit=limit)
    listing.show([one._asdict() for one in found], Listing("No name is mapped so."), as_json=as_json)


@identities.command("remove")
@click.argument("value")
@kind_option
@source_option
@common.dry_run_option
def remove_identity(value: str, *, kind: IdentityKind | None, source: str, dry_run: bool) -> None:
    """Forget whose VALUE is. What was posted stays; usage that comes from now on waits in quarantine.

    `tokens-bot usage reassign` moves what was posted to the wrong person.
    """
    known_as = _known_as(kind, value)
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        person = directory.forget_identity(moment, source=source, kind=known_as, value=value, actor=common.actor())
    said = f"{known_as} {value!r} of {source}, which was {person.name}'s ({person.email}), is nobody's from now on."
    common.told(said, dry_run=dry_run)
