"""`grants give|list|revoke|run`."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from bot import settings
from bot.cli import common, grant_plans, listing
from bot.cli.listing import Listing
from policy.counting import many
from policy.kinds import LotKind
from policy.period import Month, first_instant
from policy.reasons import Refusal
from programme.grants import by_hand, monthly, revoking
from programme.people import directory as programme_people
from store.ledger import lots
from store.people import directory

if TYPE_CHECKING:
    from datetime import date

    from policy.units import MicroTokens
    from programme.app import App
    from programme.grants.by_hand import ManualGrant
    from programme.grants.monthly import MonthlyRun
    from programme.moment import Moment


@click.group()
def grants() -> None:
    """Tokens for people."""


@grants.command("give")
@click.argument("email")
@click.argument("amount", type=common.TokensType())
@click.option("--reason", required=True, help="The person reads it beside the amount.")
@click.option("--expires", type=common.DayType(), required=True, help="The last day on which it can be used.")
@click.option("--key", help="Makes the call repeatable: the same key gives nothing twice.")
@click.option("--again", is_flag=True, help="Also where the same was given lately.")
@common.dry_run_option
@common.json_option
def give_grant(
    email: str,
    amount: MicroTokens,
    *,
    reason: str,
    expires: date,
    key: str | None,
    again: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Give a person AMOUNT tokens until the end of a day.

    The same amount for the same person once more within a week is asked about first, or refused without --again where
    no one can be asked.
    """
    with common.app() as app:
        if not (key or again):
            _ask_of_repetition(app, email, amount, dry_run=dry_run)
        ends_at = first_instant(expires + timedelta(days=1), app.zone)

        def give(moment: Moment) -> ManualGrant:
            return by_hand.give(
                moment, email=email, amount=amount, reason=reason, expires_at=ends_at, actor=common.actor(), key=key
            )

        try:
            with common.moment_of(app, dry_run=dry_run) as moment:
                given = give(moment)
        except Refusal as refusal:
            with common.moment_of(app, dry_run=dry_run) as moment:
                by_hand.record_refusal(moment, refusal, key=key, actor=common.actor())
            raise
    if as_json:
        common.print_json(_given(given) | {"dry_run": dry_run})
    else:
        before = "had already been given under this key" if given.again else "given"
        # A database may number the lot otherwise in the end.
        lot = f" (lot {given.lot_id})" if given.again or not dry_run else ""
        said = f"{listing.written(amount)} tokens {before} to {email}, until the end of {expires}{lot}."
        common.told(said, dry_run=dry_run)


def _ask_of_repetition(app: App, email: str, amount: MicroTokens, *, dry_run: bool) -> None:
    with app.reading() as moment:
        before = by_hand.likely_repeated(moment, email=email, amount=amount)
    if before is None:
        return
    text = f"{listing.written(amount)} tokens were given to {email} on {listing.brief(before.starts_at)} UTC already"
    _ask(f"{text} (lot {before.id}: {before.reason}).", "--again", dry_run=dry_run)


def _ask(text: str, option: str, *, dry_run: bool) -> None:
    """Ask whether to go on; where no one can be asked, a Refusal that names the option which says so."""
    if dry_run:
        click.echo(f"{text} Without {option} you would be asked about that.", err=True)
        return
    if not sys.stdin.isatty():
        raise Refusal("not_asked", text, next_step=f"Nothing was done. If you mean it, say {option}.")
    click.confirm(f"{text} Go on?", abort=True)


def _given(given: ManualGrant) -> dict[str, object]:
    return {
        "person_id": given.person_id,
        "entry_id": given.entry_id,
        "lot_id": given.lot_id,
        "amount_tokens": common.token_text(given.amount),
        "expires_at": given.expires_at.isoformat(),
        "again": given.again,
    }


KINDS = {kind.name.lower(): kind for kind in LotKind}
LOTS = ("id", "email", "kind", "amount", "remaining", "starts_at", "expires_at", "reason")


@grants.command("list")
@click.argument("email", required=False)
@click.option("--kind", "kinds", type=click.Choice(list(KINDS)), multiple=True, help="Only of this kind.")
@click.option("--open", "is_open", is_flag=True, help="Only those of which something is left.")
@listing.since_option
@listing.limit_option
@common.json_option
def list_grants(
    email: str | None, *, kinds: tuple[str, ...], is_open: bool, since: date | None, limit: int, as_json: bool
) -> None:
    """List lots, the latest first: everyone's, or those of the person with EMAIL."""
    with common.app() as app, app.reading() as moment:
        found = lots.listed(
            moment.session,
            person_id=programme_people.require(moment, email).id if email else None,
            kinds=[KINDS[name] for name in kinds],
            since=listing.instant_of(since, app),
            is_open=is_open,
            limit=limit,
        )
    rows = [one._asdict() | {"kind": one.kind.name.lower()} for one in found]
    listing.show(rows, Listing("There is no such lot.", LOTS), as_json=as_json)


@grants.command("revoke")
@click.argument("lot", type=common.COUNTED)
@click.option("--reason", required=True, help="The person reads it.")
@common.dry_run_option
@common.json_option
def revoke_grant(lot: int, *, reason: str, dry_run: bool, as_json: bool) -> None:
    """Take back what is unused of LOT, which was given by hand; its owner is told.

    `grants list EMAIL` has the numbers of lots. What was used stays used.
    """
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        revoked = revoking.revoke(moment, lot, reason=reason, actor=common.actor())
    if as_json:
        common.print_json(
            {
                "lot_id": lot,
                "person_id": revoked.lot.person_id,
                "revoked_tokens": common.token_text(revoked.amount),
                "used_tokens": common.token_text(revoked.used),
                "dry_run": dry_run,
            }
        )
        return
    used = f" {listing.written(revoked.used)} of the lot had been used, and stay used." if revoked.used else ""
    said = f"{listing.written(revoked.amount)} tokens are taken back from {revoked.lot.email}.{used}"
    common.told(said, dry_run=dry_run)


@grants.command("run")
@click.option("--month", type=common.MonthType(), required=True)
@common.dry_run_option
@click.option("--yes", is_flag=True, help="Also for a month to come, without asking.")
@common.json_option
def run_grants(month: Month, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Make MONTH's grants to everyone in the programme; running it again changes nothing.

    Of a month to come it asks first: who joins, leaves or changes until then is not in it. A dry run shows what it
    would be person by person, with every factor.
    """
    with common.app() as app:
        if not yes:
            _ask_of_month_to_come(app, month, dry_run=dry_run)
        announce_in = settings.load().announce_channel
        with common.moment_of(app, dry_run=dry_run) as moment:
            posted = monthly.run(moment, month, announce_in=announce_in)
            mails = directory.emails(moment.session, posted.unsized) if posted else {}
    planned = grant_plans.plain(posted.plan) if dry_run and posted else {}
    if as_json:
        common.print_json(planned | _posted(month, posted, dry_run=dry_run))
    elif posted is None:
        click.echo(f"The grants for {month} are already posted.")
    else:
        if dry_run:
            grant_plans.show(posted.plan)
        said = f"{many(posted.people, 'person was', 'people were')} granted {listing.written(posted.granted)} tokens; "
        common.told(f"{said}{listing.written(posted.lapsed)} over the carry-over limit lapsed.", dry_run=dry_run)
        grant_plans.warn_of_unsized(posted.unsized, mails)


def _ask_of_month_to_come(app: App, month: Month, *, dry_run: bool) -> None:
    with app.reading() as moment:
        today, is_done = moment.today, monthly.is_done(moment, month)
    if month.first_day > today and not is_done:
        text = f"{month} has not begun: its grants follow from what is known today, and are made only once."
        _ask(text, "--yes", dry_run=dry_run)


def _posted(month: Month, posted: MonthlyRun | None, *, dry_run: bool) -> dict[str, object]:
    if posted is None:
        return {"month": str(month), "posted": False, "dry_run": dry_run}
    return {
        "month": str(month),
        "dry_run": dry_run,
        "posted": not dry_run,
        "people": posted.people,
        "granted_tokens": common.token_text(posted.granted),
        "lapsed_tokens": common.token_text(posted.lapsed),
        "unsized": dict(posted.unsized),
    }
