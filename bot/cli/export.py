"""`export spend|review|focus|chargeback`: figures of teams, reviews and cost centres, for other programs."""

from __future__ import annotations

import sys
from dataclasses import astuple
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from bot.cli import archive, chargeback, common, focus
from handlers import FIRST_YEAR, LAST_YEAR, tables
from handlers.tables import Column, Layout
from policy.counting import many
from policy.period import Week
from programme import anchors
from programme.people import directory
from programme.reports.team import team_report
from programme.reviews import annual_export, eligibility, year_summary
from programme.reviews.annual_export import Line
from programme.reviews.year_summary import YearLine
from store.people import directory as people_store
from store.people import teams

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from handlers.tables import Format
    from programme.moment import Moment
    from programme.reviews.eligibility import Eligibility
    from views.reports import TeamReport, WeekOfSpend

SPEND = Layout(
    (
        *(Column(name) for name in ("manager_email", "week", "begins_on", "service")),
        *(Column(name, "number") for name in ("spend_usd", "week_usd", "week_tokens", "pace_usd")),
        Column("not_told"),
    )
)


@click.group()
def export() -> None:
    """Figures as CSV, JSON or Parquet, for other programs."""


@export.command("spend")
@click.option("--manager", "email", metavar="EMAIL", help="Of this manager's team only.")
@common.out_option
@common.format_options
def export_spend(*, email: str | None, out: BinaryIO, format_: Format) -> None:
    """Write what each team spent, by week and service, as its manager's report shows it.

    The last week is not over. A week that the report leaves out has the reason instead of figures.
    """
    with common.app() as app:
        with app.reporting(throughout=True) as moment:
            rows, teams_told = _spend(moment, email)
        with app.transaction() as noting:
            anchors.note_export(noting, "spend.export", actor=common.actor(), lines=len(rows))
    tables.write(out, SPEND, tables.in_order(SPEND, rows), format_)
    common.told_as_of(moment)
    click.echo(f"{many(teams_told, 'team')}.", file=sys.stderr)


def _spend(moment: Moment, email: str | None) -> tuple[list[dict[str, Any]], int]:
    """The rows of one team, or of all, and how many teams that were."""
    monday = Week.containing(moment.today).first_day
    managers = [directory.require(moment, email).id] if email else teams.managers(moment.session, monday)
    people = ((people_store.by_id(moment.session, manager), team_report(moment, manager)) for manager in managers)
    told = [(person.email, report) for person, report in people if person is not None and report is not None]
    return [row for one in told for row in _rows(*one)], len(told)


def _rows(manager: str, report: TeamReport) -> Iterator[dict[str, Any]]:
    if report.hidden:
        yield {"manager_email": manager, "not_told": report.hidden}
    for week in report.weeks:
        about = {"manager_email": manager, "week": str(week.week), "begins_on": week.week.first_day.isoformat()}
        if week.hidden:
            yield about | {"not_told": week.hidden}
        else:
            yield from (about | row for row in _services(week, report.services))


def _services(week: WeekOfSpend, services: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    of_week = {
        "week_usd": common.usd_text(week.spent),
        "week_tokens": common.token_text(week.tokens),
        "pace_usd": "" if week.pace is None else common.usd_text(week.pace),
    }
    if not week.usd:
        yield of_week
        return
    for name, usd in zip(services, week.usd, strict=True):
        yield of_week | {"service": name, "spend_usd": common.usd_text(usd)}


@export.command("review")
@click.option("--year", type=click.IntRange(FIRST_YEAR, LAST_YEAR), required=True)
@click.option("--by", metavar="EMAIL", required=True, help="Who exports it: a person with the role `finance`.")
@common.out_option
@common.format_options
@click.option("--summary", is_flag=True, help="One line a person for the whole year, of bands and flags.")
@click.option("--dry-run", is_flag=True, help="Only how many would be eligible, by level and team; nobody by name.")
def export_review(*, year: int, by: str, out: BinaryIO, format_: Format, summary: bool, dry_run: bool) -> None:
    """Write the adopted reviews of a year for the compensation review, by person id: bands and counts.

    Input to bonus eligibility, never a rank. People who opted out are not in it. The audit log records the export.
    """
    if dry_run:
        with common.app() as app, app.reading() as moment:
            found = eligibility.dry_run(moment, year, by=by)
        common.print_json(common.plain(found)) if format_ == "json" else _show(found)
        return
    with common.app() as app, app.transaction() as moment:
        exported = annual_export.export(moment, year, by=by)
    lines: Sequence[Line | YearLine] = year_summary.of(exported.lines, year) if summary else exported.lines
    tables.write(out, tables.layout_of(YearLine if summary else Line), map(astuple, lines), format_)
    click.echo(f"{many(len(lines), 'line')}; {many(exported.left_out, 'person', 'people')} opted out.", file=sys.stderr)


def _show(found: Eligibility) -> None:
    """Counts by level and by team, and how many people are in groups too small to tell."""
    everyone = found.everyone
    people = many(everyone.people, "person", "people")
    click.echo(f"{everyone.eligible:,} of {people} would be eligible by the reviews of {found.year}.")
    for name, groups, hidden in (
        ("level", found.levels, found.not_told_by_level),
        ("team of", found.teams, found.not_told_by_team),
    ):
        click.echo()
        rows = [(one.name, f"{one.people:,}", f"{one.eligible:,}") for one in groups]
        common.print_table((name, "people", "eligible"), rows)
        if hidden:
            click.echo(f"{many(hidden, 'person is', 'people are')} in groups too small to tell.")
    if found.left_out:
        click.echo(f"\n{many(found.left_out, 'person', 'people')} opted out.")


export.add_command(archive.export_archive)
export.add_command(focus.export_focus)
export.add_command(chargeback.export_chargeback)
