"""`people list|show|merge`: one person, one record."""

from __future__ import annotations

import click

from bot.cli import common, listing
from policy.counting import many
from programme.people import merging
from programme.privacy import erasing
from store.people import directory as people_store

COLUMNS = (
    "id",
    "email",
    "name",
    "level",
    "role_family",
    "pay_band",
    "hired_on",
    "left_on",
    "slack_user_id",
    "external_id",
)


@click.command("list")
@click.option("--here", is_flag=True, help="Only people who have not left.")
@click.option("--unlinked", is_flag=True, help="Only people without a Slack account.")
@click.option("--family", help="Only this role family; `unassigned` are those without a level or family yet.")
@common.json_option
def list_people(*, here: bool, unlinked: bool, family: str | None, as_json: bool) -> None:
    """List people, by e-mail."""
    with common.app() as app, app.reading() as moment:
        rows = people_store.all_by_email(moment.session)
        today = moment.today
    found = [
        row
        for _, row in sorted(rows.items())
        if (not here or row["left_on"] is None or row["left_on"] >= today)
        and (not unlinked or row["slack_user_id"] is None)
        and (family is None or row["role_family"] == family)
    ]
    if as_json:
        common.print_json([{name: row[name] for name in COLUMNS} for row in found])
    else:
        common.print_table(COLUMNS, [["-" if row[name] is None else row[name] for name in COLUMNS] for row in found])


@click.command("show")
@click.argument("who", metavar="EMAIL_OR_ID")
@common.json_option
def show_person(who: str, *, as_json: bool) -> None:
    """Show a person's record, and how much is held about them of what."""
    with common.app() as app, app.reading() as moment:
        found = erasing.held(moment, who)
    tables = found.tables
    own = next(row for row in tables["people"] if row["id"] == found.person.id)
    roles = [row["role"] for row in tables.get("person_roles", ())]
    names = [f"{row['source']}/{row['kind']}/{row['value']}" for row in tables.get("identities", ())]
    counts = {name: len(rows) for name, rows in tables.items()}
    if as_json:
        common.print_json({"record": own, "roles": roles, "names": names, "rows": counts})
        return
    for name, value in own.items():
        click.echo(f"{name:22}{'-' if value is None else value}")
    click.echo(f"{'roles':22}{', '.join(roles) or '-'}")
    click.echo(f"{'other names':22}{', '.join(names) or '-'}")
    click.echo("")
    common.print_table(("rows", "table"), [(count, name) for name, count in counts.items()])
    click.echo("\n`tokens-bot people export` prints every one of them.", err=True)


@click.command("merge")
@click.argument("second", metavar="SECOND")
@click.argument("into", metavar="FIRST")
@common.dry_run_option
@common.json_option
def merge_people(second: str, into: str, *, dry_run: bool, as_json: bool) -> None:
    """Make the record SECOND a part of FIRST, because both are one person; by e-mail or id.

    What is left in the second wallet, and what it owes, goes into the first by entries of the ledger. E-mail, names at
    gateways, Slack account, reports and open requests become the first's. There is no way back.
    """
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        done = merging.merge(moment, second, into, actor=common.actor())
    if as_json:
        common.print_json(
            common.plain(
                {
                    "first": done.first.id,
                    "second": done.second.id,
                    "tokens": done.tokens,
                    "debt": done.debt,
                    "requests": done.requests,
                    "dry_run": dry_run,
                }
            )
        )
        return
    also = f", and {many(len(done.requests), 'open request')}" if done.requests else ""
    common.told(
        f"{done.second.email} ({done.second.id}) is {done.first.email} ({done.first.id}): "
        f"{listing.written(done.tokens)} tokens and a debt of {listing.written(done.debt)} come over{also}.",
        dry_run=dry_run,
    )


COMMANDS = (list_people, show_person, merge_people)
