"""`handbook show`, `handbook apply`, `handbook propose`, `handbook proposals`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import common
from policy import handbook as policy_handbook
from policy.period import day_of
from programme.handbook import applying, cards, proposing
from store import locks
from store.handbook import proposals as store
from store.handbook import reference
from store.locks import Lock

if TYPE_CHECKING:
    from views.handbook import Card


@click.group()
def handbook() -> None:
    """The policy's parameters."""


@handbook.command("show")
@click.option("--packaged", is_flag=True, help="The text that comes with the bot, to start your own from.")
def show_handbook(*, packaged: bool) -> None:
    """Print the handbook in force today."""
    if packaged:
        click.echo(policy_handbook.packaged(), nl=False)
        return
    with common.app() as app, app.reading() as moment:
        today = day_of(app.clock(), app.zone)
        version = moment.handbooks.on(today).version
        click.echo(reference.handbook_body(moment.session, version), nl=False)


@handbook.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@common.dry_run_option
def apply_handbook(file: Path, *, dry_run: bool) -> None:
    """Apply a TOML file on your own, from its effective date: the company's first, or where there is no board.

    After that, a change takes two people (see `propose`). Applying the same file again changes nothing.
    """
    text = common.text_of(file)
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        locks.hold(moment.session, Lock.HANDBOOKS)
        new = applying.checked(moment, text)
        known = reference.handbook_body(moment.session, new.version) is not None
        alone = "" if known else proposing.why_alone(moment)
        applied = applying.apply(moment, text, actor=common.actor(), alone=alone)
    common.told(f"Handbook {applied.version} applies from {applied.effective_from}.", dry_run=dry_run)


@handbook.command("propose")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--by",
    "email",
    metavar="EMAIL",
    help="The proposer; when left out, whoever's e-mail begins with your login.",
)
@common.dry_run_option
def propose_handbook(file: Path, *, email: str | None, dry_run: bool) -> None:
    """Put a TOML file before the board; it applies once another person confirms it in Slack."""
    text = common.text_of(file)
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        by = proposing.proposer(moment, email, common.login())
        made = proposing.propose(moment, text, by, actor=common.actor())
        card = cards.of(moment, made.id)
    common.told(
        f"Handbook {made.version} from {made.effective_from} is proposed by {card.proposer.name} and waiting for a"
        f" second person until {card.lapse_at:%Y-%m-%d %H:%M} UTC.",
        dry_run=dry_run,
    )
    _print_changes(card)


@handbook.command("proposals")
@click.option("--changes", is_flag=True, help="Also show every key that a waiting proposal changes, old -> new.")
@click.option("--state", help="Only in this state, such as open.")
@common.json_option
def list_proposals(*, changes: bool, state: str | None, as_json: bool) -> None:
    """List proposals and what became of them, the latest first."""
    with common.app() as app, app.reading() as moment:
        wanted = [one for one in store.everything(moment.session) if state in {None, one.state}]
        found = [cards.of(moment, proposal.id) for proposal in wanted]
    if as_json:
        common.print_json([_row(card) | {"changes": [one._asdict() for one in card.changes]} for card in found])
        return
    if not found:
        click.echo(f"No proposal is {state}." if state else "Nothing has been proposed.")
        return
    rows = [_row(card) for card in found]
    common.print_table(tuple(rows[0]), [[str(value)[:60] for value in row.values()] for row in rows])
    for card in found if changes else ():
        if card.proposal.is_open:
            click.echo(f"\n{card.proposal.version}, compared with {card.base}:")
            _print_changes(card)


def _row(card: Card) -> dict[str, str]:
    one = card.proposal
    return {
        "id": one.id,
        "version": one.version,
        "effective_from": one.effective_from.isoformat(),
        "state": one.state,
        "proposed_by": card.proposer.name,
        "proposed_at": one.proposed_at.isoformat(timespec="minutes"),
        "decided_by": card.decided_by.name if card.decided_by else one.decided_by or "",
        "decided_at": one.decided_at.isoformat(timespec="minutes") if one.decided_at else "",
        "reason": " ".join((one.reason or "").split()),
    }


def _print_changes(card: Card) -> None:
    for one in card.changes:
        click.echo(f"  {one.key}: {one.old or 'not set'} -> {one.new or 'not set'}")
    if not card.changes:
        click.echo("  Only the version and its date change.")
