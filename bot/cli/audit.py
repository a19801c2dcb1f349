"""`audit list|show`: who did what, when."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from bot.cli import common, listing
from bot.cli.listing import Listing
from policy.reasons import Refusal
from programme.people import directory
from store import audit as store
from store.people import directory as people_store

if TYPE_CHECKING:
    from datetime import date

    from programme.moment import Moment

SHOWN = Listing("Nothing of that is on record.", ("seq", "at", "who", "what", "of"))


@click.group()
def audit() -> None:
    """Who did what, when: the log that `verify` checks."""


@audit.command("list")
@click.option("--who", metavar="ACTOR", help="Who did it: an e-mail, or an actor such as policy or cli:mara.")
@click.option("--what", metavar="ACTION", help="What was done, such as grant.give, or all of a topic: grant.")
@click.option("--of", metavar="SUBJECT", help="To what: an e-mail, or the subject as it is on record.")
@listing.since_option
@click.option("--until", type=common.DayType(), help="Up to this day.")
@listing.limit_option
@common.json_option
def list_audit(
    *,
    who: str | None,
    what: str | None,
    of: str | None,
    since: date | None,
    until: date | None,
    limit: int,
    as_json: bool,
) -> None:
    """List what was done, the latest first."""
    with common.app() as app, app.reading() as moment:
        wanted = store.Wanted(
            actor=_id_or_text(moment, who),
            action=what,
            subject=_id_or_text(moment, of),
            since=listing.instant_of(since, app),
            before=listing.instant_of(until + timedelta(days=1), app) if until else None,
        )
        found = store.listed(moment.session, wanted, limit=limit)
        names = people_store.emails(moment.session, {name for one in found for name in (one.actor, one.subject)})
    rows = [
        {
            "seq": one.seq,
            "at": one.at,
            "who": names.get(one.actor, one.actor),
            "what": one.action,
            "of": names.get(one.subject, one.subject),
        }
        for one in found
    ]
    listing.show(rows, SHOWN, as_json=as_json)


def _id_or_text(moment: Moment, text: str | None) -> str | None:
    """The id of the person of an e-mail; anything else as it is."""
    return directory.require(moment, text).id if text and "@" in text else text


@audit.command("show")
@click.argument("seq", type=common.COUNTED)
@common.json_option
def show_audit(seq: int, *, as_json: bool) -> None:
    """Show a row whole: what changed, under which handbook, in which message of Slack."""
    with common.app() as app, app.reading() as moment:
        found = store.row(moment.session, seq)
    if found is None:
        raise Refusal("unknown_row", f"There is no row {seq}.", next_step="See `tokens-bot audit list`.")
    if as_json:
        common.print_json(found)
        return
    for name, value in found.items():
        if value is not None:
            click.echo(f"{name}: {value}")
