"""`reviews annual draft|import`: a year's permanent policy, and the groups of the annual review."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from bot.cli import common
from policy.counting import many
from programme import table_file
from programme.handbook import permanent
from programme.reviews import annual as programme_annual

if TYPE_CHECKING:
    from policy.period import Month


@click.group()
def reviews() -> None:
    """What the compensation review says of people's grants (the quarterly review is `review`)."""


@reviews.group()
def annual() -> None:
    """The annual review: each person's group, whose factor is in the handbook."""


@annual.command("import")
@click.argument("file", type=click.File("rb"), metavar="FILE.csv")
@click.option("--year", type=click.IntRange(2000, 2100), required=True, help="The year that was reviewed.")
@click.option("--from", "month", type=common.MonthType(), required=True, help="The month from which it counts.")
@click.option("--by", metavar="EMAIL", required=True, help="Who imports it: someone with the role finance.")
@common.dry_run_option
@common.json_option
def import_groups(file: BinaryIO, *, year: int, month: Month, by: str, dry_run: bool, as_json: bool) -> None:
    """Say who is in which group, from a CSV file with the columns email and group: all of it or nothing.

    Whoever is not in the file has no factor from that month on. Groups and their factors are in the handbook.
    """
    text = table_file.opened(file)
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        done = programme_annual.import_csv(moment, text, year=year, month=month, by=by)
    if as_json:
        common.print_json({"people": done.people, "groups": dict(done.groups), "dry_run": dry_run})
        return
    counted = ", ".join(f"{name}: {count}" for name, count in done.groups.items())
    common.told(f"{many(done.people, 'person', 'people')} from {month} on ({counted}).", dry_run=dry_run)


@annual.command("draft")
@click.option("--year", type=click.IntRange(2000, 2100), required=True, help="The year to draft from, which is over.")
@click.option("--from", "month", type=common.MonthType(), required=True, help="The month from which it is to hold.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The handbook's file; policy-VERSION.toml if not.",
)
@common.json_option
def draft_policy(*, year: int, month: Month, out: Path | None, as_json: bool) -> None:
    """Draft the permanent policy from a year's figures: a handbook's file, and a page of reasons on the terminal.

    Nothing changes by it. Two people adopt it with `handbook propose`, as any handbook.
    """
    with common.app() as app, app.reading() as moment:
        made = permanent.draft(moment, year, month)
    path = out or Path(f"policy-{made.version}.toml")
    path.write_text(made.body, encoding="utf-8")
    if not as_json:
        click.echo(permanent.reasons(made))
        click.echo(f"Written to {path}.")
        return
    common.print_json(
        {
            "version": made.version,
            "file": str(path),
            "share_of_compensation": f"{made.policy.share:f}",
            "elasticity": f"{made.policy.elasticity:f}",
            "people": len(made.figures.used),
            "tried": [
                {"review": str(quarter), "raised": one.then.raised, "cut": one.then.cut, "differ": one.differ}
                for quarter, one in made.tried
            ],
            "quarters": made.figures.quarters,
            "because": [{"code": one.code, "text": one.text} for one in made.policy.because],
            "not_shown": list(made.policy.not_shown),
        }
    )
