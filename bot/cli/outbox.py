"""`outbox list|show`: what is owed to Slack and what went there; never what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bot.cli import common, listing
from bot.cli.listing import Listing
from policy.reasons import Refusal
from programme.people import directory
from scheduler import remedies
from store.outbox import listed as store

if TYPE_CHECKING:
    from datetime import date

SHOWN = Listing("There is no such message.", ("key", "template", "to", "state", "problem", "due_at", "sent_at"))


@click.group()
def outbox() -> None:
    """Messages that are owed to Slack, and those that arrived."""


@outbox.command("list")
@click.option("--state", type=click.Choice(store.STATES), help="Only in this state.")
@click.option("--template", help="Only of this kind, such as grants/statement.")
@click.option("--person", "email", metavar="EMAIL", help="Only to this person.")
@click.option("--channel", help="Only to this channel, by its id.")
@listing.since_option
@listing.limit_option
@common.json_option
def list_outbox(
    *,
    state: str | None,
    template: str | None,
    email: str | None,
    channel: str | None,
    since: date | None,
    limit: int,
    as_json: bool,
) -> None:
    """List messages, the latest first. `deliver` sends what is due, `deliver --retry KEY` what is parked."""
    with common.app() as app, app.reading() as moment:
        wanted = store.Wanted(
            state=state,
            template=template,
            person_id=directory.require(moment, email).id if email else None,
            channel=channel,
            since=listing.instant_of(since, app),
        )
        found = store.listed(moment.session, wanted, limit=limit)
    listing.show([one._asdict() for one in found], SHOWN, as_json=as_json)


@outbox.command("show")
@click.argument("key")
@common.json_option
def show_outbox(key: str, *, as_json: bool) -> None:
    """Show where a message is, and what to do about it; what it says is between the bot and its reader."""
    with common.app() as app, app.reading() as moment:
        found = store.named(moment.session, key)
    if found is None:
        raise Refusal("unknown_message", f"No message has the key {key!r}.", next_step="See `tokens-bot outbox list`.")
    told = found._asdict()
    if found.problem:
        told["what_to_do"] = remedies.remedy(found.problem, key=key)
    if as_json:
        common.print_json(told)
        return
    for name, value in told.items():
        if value is not None:
            click.echo(f"{name}: {listing.brief(value) if name != 'what_to_do' else value}")
