"""`people import|rename|relink|leave|opt-out`, and those of `people_records` and `people_privacy`."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

import click
from slack_sdk import WebClient

from bot import settings, wiring
from bot.cli import common, people_privacy, people_records
from handlers.slack import accounts, users
from policy.reasons import Refusal
from programme import table_file
from programme.people import directory as programme_people
from programme.people import linking, terms
from programme.reviews import annual_export

if TYPE_CHECKING:
    from datetime import date

    from programme.people.records import Change


@click.group()
def people() -> None:
    """The people in the programme."""


@people.command("import")
@click.argument("file", type=click.File("rb"), metavar="FILE.csv")
@common.dry_run_option
@common.json_option
def import_people(file: BinaryIO, *, dry_run: bool, as_json: bool) -> None:
    """Add or change people from a CSV file, all of it or nothing.

    Columns: email, name, slack_user_id, manager_email, level, role_family, pay_band, fte, time_zone, hired_on,
    left_on, wave, cost_centre, roles (separated by `;`), offer_id (what a joiner was offered; their greeting refers to
    it). People are found by e-mail, or under a new e-mail by their Slack user; an empty cell leaves what was there, `-`
    clears it.
    """
    text = table_file.opened(file)
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        done = programme_people.import_csv(moment, text, actor=common.actor())
    _warn("Outside the programme, as the handbook's rollout.role_families has it: ", done.outside)
    _warn("No midpoint yet, so no grant (`tokens-bot bands set`), for pay band: ", done.without_midpoint)
    _warn("No rate for this quarter, so no grant (`tokens-bot rates set`), for pay band: ", done.without_rate)
    _warn("No such offer on record, so the greeting says nothing of it: ", done.without_offer)
    if dry_run and not as_json:
        for change in done.changes:
            click.echo(_line(change))
    if as_json:
        counts = {"added": done.added, "changed": done.changed, "unchanged": done.unchanged}
        common.print_json(counts | {"dry_run": dry_run})
    else:
        said = f"{done.added} added, {done.changed} changed, {done.unchanged} unchanged."
        common.told(said, dry_run=dry_run)


def _warn(said: str, words: tuple[str, ...]) -> None:
    if words:
        click.echo(f"{said}{', '.join(words)}.", err=True)


def _line(change: Change) -> str:
    """A change of one person as a line: `ada@example.com: level staff → principal`."""
    if change.is_new:
        return f"{change.email}: new"
    columns = change.columns.items()
    return f"{change.email}: " + ", ".join(f"{_NAMES.get(n, n)} {_told(n, a)} → {_told(n, b)}" for n, (a, b) in columns)


_NAMES = {"fte_permille": "fte", "manager_id": "manager"}


def _told(name: str, value: Any) -> str:  # noqa: ANN401 - any column
    if name == "fte_permille":
        return f"{Decimal(value) / 1000:f}"
    return ";".join(value) or "-" if isinstance(value, list) else "-" if value is None else str(value)


@people.command("rename")
@click.argument("before", metavar="OLD_EMAIL")
@click.argument("after", metavar="NEW_EMAIL")
@common.dry_run_option
def rename_person(before: str, after: str, *, dry_run: bool) -> None:
    """Give a person another e-mail; usage that gateways still report under the old one stays theirs."""
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        person = programme_people.rename(moment, before, after, actor=common.actor())
    common.told(f"{person.name} ({person.id}) is {person.email} from now on.", dry_run=dry_run)


@people.command("relink")
@click.argument("email")
@click.argument("account", metavar="@NEW")
@common.dry_run_option
def relink_person(email: str, account: str, *, dry_run: bool) -> None:
    """Make a Slack account a person's: theirs was made anew, or has moved to an organization.

    The account is named by its handle (@ada) or its id (U012AB3CD), and Slack is asked about it. Both accounts are
    told.
    """
    loaded = settings.load()
    if not loaded.slack_bot_token:
        raise Refusal("no_bot_token", "SLACK_BOT_TOKEN is not set, so Slack can't be asked.", next_step="Set it.")
    client = WebClient(loaded.slack_bot_token, base_url=loaded.slack_api_url)
    with wiring.open_app(loaded) as app:
        with app.reading() as moment:
            earlier = programme_people.require(moment, email).slack_user_id
        found = accounts.named(app, client, account)
        is_active = earlier is None or users.is_active(client, earlier)
        with common.moment_of(app, dry_run=dry_run) as moment:
            person, before = linking.relink(moment, email, found, actor=common.actor(), earlier_is_active=is_active)
    if before == found.id:
        click.echo(f"{found.id} is the Slack account of {person.name} ({person.id}) already.")
        return
    if found.email and found.email.lower() != person.email:
        click.echo(f"In Slack, {found.id} has the e-mail {found.email}.", err=True)
    instead = f", and no longer by {before}" if before else ""
    common.told(f"{person.name} ({person.id}) is known by {found.id} from now on{instead}.", dry_run=dry_run)


@people.command("leave")
@click.argument("email")
@click.option("--from", "first", type=common.DayType(), required=True, help="The first day away.")
@click.option("--until", "last", type=common.DayType(), help="The last day away; leave it out while it is not known.")
@common.dry_run_option
def note_leave(email: str, *, first: date, last: date | None, dry_run: bool) -> None:
    """Note that a person is away. A leave longer than the handbook's `sizing.leave_days` pauses their grants."""
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        terms.set_leave(moment, email, first, last, actor=common.actor())
    common.told(f"{email} is away from {first}{f' until {last}' if last else ''}.", dry_run=dry_run)


@people.command("opt-out")
@click.argument("email")
@click.option("--back", is_flag=True, help="Put them back in.")
@common.dry_run_option
def note_opt_out(email: str, *, back: bool, dry_run: bool) -> None:
    """Leave a person out of the export for the compensation review (`export review`)."""
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        changed = annual_export.opt_out(moment, email, back=back, actor=common.actor())
    where = "in" if back else "left out of"
    said = f"{email} is {where} exports of reviews {'from now on' if changed else 'already'}."
    common.told(said, dry_run=dry_run)


for command in (*people_records.COMMANDS, *people_privacy.COMMANDS):
    people.add_command(command)
