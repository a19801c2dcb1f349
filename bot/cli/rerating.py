"""`usage reassign`, `usage reprice`: the use of some days put right at once, in batches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

import click

from bot.cli import common, corrections, listing
from policy.counting import many
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from programme.finance.seconded import Correction
from programme.people import directory
from programme.usage import rerating
from programme.usage.rerating import Days, Reassignment, Repricing

if TYPE_CHECKING:
    from datetime import date

    from policy.metering import Identity
    from programme.app import App
    from programme.usage.reposting import Amounts
    from programme.usage.rerating import BulkChange, Done
    from store.usage.versions import Key

IDENTITY_KINDS = ("email", "user", "key_alias")
first_option = click.option("--from", "first", type=common.DayType(), required=True, help="The first day.")
last_option = click.option("--until", "last", type=common.DayType(), required=True, help="The last day.")


class IdentityType(click.ParamType["Identity"]):
    """A name as a gateway reports it, such as key_alias:team-a."""

    name = "KIND:NAME"

    def convert(self, value: str | Identity, param: click.Parameter | None, ctx: click.Context | None) -> Identity:
        if isinstance(value, tuple):
            return value
        kind, _, name = value.partition(":")
        if kind not in IDENTITY_KINDS or not name:
            self.fail(f"{value!r} is not KIND:NAME with a kind of {', '.join(IDENTITY_KINDS)}", param, ctx)
        return cast("Identity", (kind, name))


@click.command("reassign")
@click.option("--identity", type=IdentityType(), required=True, help="As the gateway reports it: see `usage show`.")
@click.option("--source", help="Of this source only.")
@first_option
@last_option
@click.option("--to", "email", required=True, help="Whose use it was.")
@corrections.reason_option
@common.second_word_option
@common.dry_run_option
@common.json_option
def reassign(
    *,
    identity: Identity,
    source: str | None,
    first: date,
    last: date,
    email: str,
    reason: str,
    spoken_by: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Give the use of some days to the right person, where a name was mapped to a wrong one.

    For the days to come say so with `identities add`. If it is interrupted, do it again.
    """
    days = _days(first, last)
    with common.app() as app:
        with app.reading() as moment:
            person = directory.require(moment, email)
        change = Reassignment(identity, source, days, person.id, reason, common.actor())
        _in_batches(app, change, spoken_by, dry_run=dry_run, as_json=as_json)


@click.command("reprice")
@click.option("--provider", required=True, help="Whose prices.")
@click.option("--model", help="All models of the provider when left out.")
@first_option
@last_option
@corrections.reason_option
@common.second_word_option
@common.dry_run_option
@common.json_option
def reprice(
    *,
    provider: str,
    model: str | None,
    first: date,
    last: date,
    reason: str,
    spoken_by: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Debit the use of some days anew by the price list as it is now, where it was corrected.

    Person and value stay. If it is interrupted, do it again: what has the right price is passed over.
    """
    change = Repricing(provider.lower(), model, _days(first, last), reason, common.actor())
    with common.app() as app:
        _in_batches(app, change, spoken_by, dry_run=dry_run, as_json=as_json)


def _days(first: date, last: date) -> Days:
    if last < first:
        raise click.BadParameter(f"{last} is before {first}", param_hint="--until")
    return Days(first, last)


def _in_batches(app: App, change: BulkChange, spoken_by: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Try all of it first: what it comes to says whether one person may do it."""
    with app.reading() as moment:
        total = rerating.count(moment, change)
    if not total:
        raise Refusal(
            "nothing_found",
            "No use of these days that is debited or waits is such.",
            next_step="Name it exactly as `tokens-bot usage show` and `quarantine list` do.",
        )
    done = _batches(app, change, total, dry_run=True)
    if not dry_run:
        corrections.require_agreed(app, _bulk_correction(change, done), spoken_by)
        done = _batches(app, change, total, dry_run=False)
    _sum_up(done, dry_run=dry_run, as_json=as_json)


def _batches(app: App, change: BulkChange, total: int, *, dry_run: bool) -> list[Done]:
    done: list[Done] = []
    last: Key | None = None
    with click.progressbar(length=total, label="Putting right", file=sys.stderr) as bar:
        while True:
            with common.moment_of(app, dry_run=dry_run) as moment:
                batch = rerating.next_batch(moment, change, after=last)
            if batch.last is None:
                return done
            bar.update(batch.seen)
            done.append(batch)
            last = batch.last


def _bulk_correction(change: BulkChange, tried: list[Done]) -> Correction:
    """What it moves: from one person to another, or up and down."""
    was, became = ([int(amounts.cost) for amounts in some] for some in _amounts(tried))
    moved = became if isinstance(change, Reassignment) else [abs(a - b) for a, b in zip(was, became, strict=True)]
    what = f"{change.action} {change.subject} {change.days.first} {change.days.last}"
    return Correction(what, corrections.digest(what, change.told()), NanoUSD(sum(moved)))


def _amounts(done: list[Done]) -> tuple[list[Amounts], list[Amounts]]:
    return [one.was for one in done], [one.became for one in done]


def _sum_up(done: list[Done], *, dry_run: bool, as_json: bool) -> None:
    seen, changed = sum(one.seen for one in done), sum(one.changed for one in done)
    cost, debit = {}, {}
    for when, some in zip(("before", "after"), _amounts(done), strict=True):
        cost[when] = NanoUSD(sum(int(amounts.cost) for amounts in some))
        debit[when] = MicroTokens(sum(int(amounts.debit) for amounts in some))
    if as_json:
        usd = {f"{when}_usd": common.usd_text(amount) for when, amount in cost.items()}
        tokens = {f"{when}_tokens": common.token_text(amount) for when, amount in debit.items()}
        common.print_json({"seen": seen, "changed": changed, **usd, **tokens, "dry_run": dry_run})
        return
    usd_told, tokens_told = (" → ".join(map(listing.written, one.values())) for one in (cost, debit))
    said = f"{changed:,} of {many(seen, 'event')} changed: USD {usd_told}, {tokens_told} tokens."
    common.told(said, dry_run=dry_run)


COMMANDS: tuple[click.Command, ...] = (reassign, reprice)
