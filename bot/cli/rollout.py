"""`rollout show|draw`: phases and waves."""

from __future__ import annotations

import secrets
from collections import Counter

import click

from bot.cli import common
from policy import rollout as policy
from policy.counting import many
from policy.period import Month, day_of
from policy.rollout import Participant
from programme.people import terms
from store.people import terms as term_store


@click.group()
def rollout() -> None:
    """When the teams join the programme."""


@rollout.command("show")
@click.option("--month", type=common.MonthType(), help="This month when left out.")
@common.json_option
def show_rollout(*, month: Month | None, as_json: bool) -> None:
    """Show a month's phase, the waves, and how many people of each take part."""
    with common.app() as app, app.reading() as moment:
        asked = month or Month.containing(day_of(app.clock(), app.zone))
        rules = moment.handbooks.on(asked.first_day).rollout
        everybody = term_store.participants(moment.session, asked, rules.role_families)
    people, taking_part = Counter[str](), Counter[str]()
    for p in everybody:
        wave = str(p.wave) if p.wave else "none"
        people[wave] += 1
        who = Participant(p.level, p.role_family, p.wave, p.hired_on, p.left_on)
        taking_part[wave] += policy.takes_part(who, asked, rules)
    phase = policy.phase(asked, rules)
    if as_json:
        waves = [{"wave": wave, "people": people[wave], "take_part": taking_part[wave]} for wave in sorted(people)]
        common.print_json({"month": str(asked), "launched_on": rules.launched_on, "phase": phase, "waves": waves})
        return
    launched = f"launched on {rules.launched_on}" if rules.launched_on else "no launch date is set"
    click.echo(f"{asked}: {f'phase {phase}' if phase is not None else 'not begun'}, {launched}")
    if people:
        rows = [(wave, people[wave], taking_part[wave]) for wave in sorted(people)]
        common.print_table(("wave", "people", "take part"), rows)


@rollout.command("draw")
@click.option("--seed", help="Makes the lot repeatable; drawn and shown when left out.")
@common.dry_run_option
def draw_waves(*, seed: str | None, dry_run: bool) -> None:
    """Put every team into a wave by lot. The audit log keeps the seed, so anyone can repeat the draw."""
    drawn = seed or secrets.token_hex(8)
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        sizes = terms.draw_waves(moment, seed=drawn, actor=common.actor())
    common.told(
        ", ".join(f"wave {wave}: {many(people, 'person', 'people')}" for wave, people in sizes.items()), dry_run=dry_run
    )
    click.echo(f"Seed {drawn}.")
    if dry_run:
        click.echo(f"`tokens-bot rollout draw --seed {drawn}` draws the same.")
