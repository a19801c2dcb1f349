"""`people export|erase|retention`: what is held about people, handed out and taken away."""

from __future__ import annotations

import json
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli import common, listing
from policy.counting import many
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from programme.privacy import erasing, retention

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from programme.app import App
    from programme.privacy.retention import Due

_LONGEST = 100
IN_TOKENS = {"amount", "balance", "carried_at_most", "granted", "grant_after", "grant_before", "held", "likely"}
IN_TOKENS |= {"netted", "remaining", "spent"}
"""Columns of micro-tokens whose name does not say so."""


@click.command("export")
@click.argument("who", metavar="EMAIL_OR_ID")
@click.option(
    "--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Also write all of it as JSON here."
)
def export_person(who: str, path: Path | None) -> None:
    """Print everything that is held about a person, to be handed to them.

    In the JSON, amounts of tokens are in millionths of a token, amounts of USD in billionths of a dollar, as they are
    stored.
    """
    with common.app() as app, app.transaction() as moment:
        found = erasing.export(moment, who, actor=common.actor())
    if path is not None:
        content = {"person": found.person.id, "tables": found.tables}
        path.write_text(json.dumps(content, indent=2, default=_plain), "utf-8")
        path.chmod(0o600)
    for line in readable(found.tables):
        click.echo(line)


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def readable(tables: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Every row as a line, with amounts as people write them."""
    for name, rows in tables.items():
        yield f"{name} ({len(rows)})"
        for row in rows:
            said = ", ".join(_said(key, value) for key, value in row.items() if value is not None)
            yield f"  {said}"
        yield ""


def _said(key: str, value: object) -> str:
    """A figure in its unit as people write it, anything else as it is."""
    if isinstance(value, int) and key.endswith("nano_usd"):
        return f"{key.replace('nano_usd', 'usd')} = {listing.written(NanoUSD(value))}"
    if isinstance(value, int) and (key.endswith("micro_tokens") or key in IN_TOKENS):
        return f"{key.replace('micro_tokens', 'tokens')} = {listing.written(MicroTokens(value))}"
    return f"{key} = {_short(value)}"


def _short(value: object) -> str:
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters; all of it with --json)"


@click.command("erase")
@click.argument("who", metavar="EMAIL_OR_ID")
@common.dry_run_option
@common.json_option
def erase_person(who: str, *, dry_run: bool, as_json: bool) -> None:
    """Take away what names a person who has left: name, addresses, accounts, and what they wrote.

    The books stay whole, under an id that says nothing. What has to stay is printed with its reason. There is no way
    back.
    """
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        done = erasing.erase(moment, who, actor=common.actor())
    if as_json:
        kept = {name: {"rows": rows, "why": erasing.why_kept(name)} for name, rows in done.kept.items()}
        common.print_json(
            {
                "person": done.person_id,
                "names": done.names,
                "texts": done.texts,
                "letters": done.letters,
                "events": done.events,
                "kept": kept,
                "dry_run": dry_run,
            }
        )
        return
    counts = ((done.names, "name"), (done.texts, "text"), (done.letters, "message"))
    said = f"{', '.join(starmap(many, counts))} and the names in {many(done.events, 'event')}"
    common.told(f"{done.person_id}: {said} are gone. What stays:", dry_run=dry_run)
    common.print_table(("rows", "table", "why"), [(n, name, erasing.why_kept(name)) for name, n in done.kept.items()])
    click.echo("Back-ups and what Slack already has are not in reach: see docs/operators/privacy.md.", err=True)


@click.command("retention")
@common.dry_run_option
@common.json_option
def retain(*, dry_run: bool, as_json: bool) -> None:
    """Take away what is over by the handbook's [retention], as the calendar does on the first of each month.

    There is no way back. What is over is told by kind and table, in rows; of people who left also who they are. It goes
    in batches: if it is interrupted, do it again.
    """
    with common.app() as app:
        with app.reading() as moment:
            found = retention.due(moment, moment.now)
        if not found:
            raise Refusal(
                "no_retention",
                "The handbook keeps everything: it has no [retention], or only zeros.",
                next_step="Propose one with it: `tokens-bot handbook show --packaged` has an example.",
            )
        taken = None if dry_run else _retain(app)
    if as_json:
        common.print_json({"due": [common.plain(one) for one in found], "taken": taken, "dry_run": dry_run})
        return
    _print_due(found, dry_run=dry_run)


def _retain(app: App) -> Mapping[str, int]:
    """Batch by batch, as of one instant."""
    at = app.clock()
    finished = False
    while not finished:
        with app.transaction() as moment:
            finished = retention.advance(moment, at, actor=common.actor())
    with app.transaction() as moment:
        return retention.record(moment, str(moment.today), actor=common.actor())


def _print_due(found: Sequence[Due], *, dry_run: bool) -> None:
    total = sum(one.rows for one in found)
    common.told(f"{many(total, 'row is', 'rows are')} gone.", dry_run=dry_run)
    rows = [(one.kind, one.part, one.days, f"{one.before:%Y-%m-%d}", one.rows) for one in found]
    common.print_table(("kind", "table", "days", "before", "rows"), rows)
    for email in (email for one in found for email in one.people):
        click.echo(f"erased: {email}")


COMMANDS = (export_person, erase_person, retain)
