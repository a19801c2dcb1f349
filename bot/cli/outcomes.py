"""`outcomes import`, `list`, `attribute`, `weekly`."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO

import click

from bot.cli import common
from handlers.outcomes import files, github_export
from policy.outcomes import THOUSANDTHS
from policy.period import day_of
from policy.reasons import Refusal
from programme import table_file
from programme.outcomes import intake as programme
from programme.table_file import MOST_TOLD
from store.outcomes import records as store
from store.people import directory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from policy.outcomes import OutcomeReport
    from programme.moment import Moment
    from store.engine import Session

FILE_STATUSES: tuple[programme.Status, ...] = ("accepted", "corrected", "duplicate", "waiting")
"""What can become of a line: a file with any other is not imported."""
FORMATS = ("csv", "github")
JSON = frozenset({".json", ".jsonl", ".ndjson"})


@click.group()
def outcomes() -> None:
    """What came of the work: merged pull requests, resolved bugs, tasks, quality scores."""


@outcomes.command("import")
@click.argument("file", type=click.File("rb"), metavar="FILE")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Left out: by the file's name.")
@click.option(
    "--default-branch",
    "former_defaults",
    multiple=True,
    metavar="NAME",
    help="A name that the default branch had before, with --format github; may be given several times.",
)
@common.dry_run_option
@common.json_option
def import_outcomes(
    file: BinaryIO, *, format_: str | None, former_defaults: tuple[str, ...], dry_run: bool, as_json: bool
) -> None:
    """Import outcomes from a file, all of it or nothing: of any source from CSV, of GitHub as its REST API tells them.

    Columns of CSV: source, outcome_id, kind (pull_request, bug, task, quality), occurred_at; and as far as they apply
    user, project, state (done, reopened, withdrawn), lines, weight, metric, score, reverts, updated_at. An outcome is
    known by its source and id; importing the same again changes nothing, and different content corrects it.
    """
    of_github = (format_ or _format_of(file.name)) == "github"
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        summary = _of_github(moment, file, frozenset(former_defaults)) if of_github else _of_csv(moment, file)
    if as_json:
        common.print_json(summary)
    else:
        common.told(", ".join(f"{count:,} {status}" for status, count in summary.items()), dry_run=dry_run)


def _format_of(name: str) -> str:
    """GitHub's is the one that is JSON."""
    return "github" if PurePath(name).suffix.lower() in JSON else "csv"


def _of_csv(moment: Moment, file: BinaryIO) -> dict[str, int]:
    """How many outcomes were read, and what became of them."""
    counts = _taken_in(moment, files.read(table_file.opened(file)))
    return {"read": counts.total()} | {status: counts[status] for status in FILE_STATUSES}


def _of_github(moment: Moment, file: BinaryIO, former_defaults: frozenset[str]) -> dict[str, int]:
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal("not_utf8", f"{file.name} is not UTF-8 text: {error}.") from error
    rules_on = programme.rules_on(moment)
    exported = github_export.read(
        text, lambda at: rules_on(day_of(at, moment.zone)).bug_labels, former_defaults=former_defaults
    )
    counts = _taken_in(moment, exported.reported)
    counts["ignored"] += exported.ignored
    return {"read": counts.total()} | {status: counts[status] for status in (*FILE_STATUSES, "ignored")}


def _taken_in(moment: Moment, reported: Sequence[OutcomeReport]) -> Counter[str]:
    answers = programme.take_in(moment, reported)
    if refused := [one for one in answers if one.status == "rejected"]:
        told = [f"{one.outcome_id!r} of {one.source}: {one.detail}" for one in refused[:MOST_TOLD]]
        if more := len(refused) - len(told):
            told.append(f"… and {more:,} more.")
        raise Refusal("outcomes_file_invalid", "\n".join(["Nothing was imported:", *told]))
    return Counter(answer.status for answer in answers)


@outcomes.command("list")
@click.option("--waiting", is_flag=True, help="Only those whose people are not known yet.")
@click.option("--limit", type=common.COUNTED, default=50, show_default=True)
@common.json_option
def list_outcomes(*, waiting: bool, limit: int, as_json: bool) -> None:
    """List the latest outcomes as they count; those kept by team never show the person."""
    with common.app() as app, app.database.reading() as session:
        heading, rows = _waiting(session, limit) if waiting else _latest(session, limit)
        still = store.count_waiting(session)
    if as_json:
        common.print_json({"waiting": still, "outcomes": [dict(zip(heading, row, strict=True)) for row in rows]})
        return
    if rows:
        common.print_table(heading, rows)
    click.echo(f"{still:,} waiting.")


_Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def _waiting(session: Session, limit: int) -> _Table:
    heading = ("source", "outcome_id", "kind", "day", "user", "since")
    held = store.waiting(session, limit=limit)
    return heading, [(w.source, w.outcome_id, w.kind, f"{w.day}", w.user, f"{w.since:%Y-%m-%d}") for w in held]


def _latest(session: Session, limit: int) -> _Table:
    heading = ("source", "outcome_id", "kind", "day", "state", "project", "unit", "of")
    found = store.latest(session, limit=limit)
    names = _emails(session, [one.unit_id for one in found if one.unit_id])
    return heading, [
        (
            one.source,
            one.outcome_id,
            one.kind,
            f"{one.day}",
            one.state,
            one.project,
            one.unit or "",
            names.get(one.unit_id or "", ""),
        )
        for one in found
    ]


def _emails(session: Session, person_ids: Sequence[str]) -> dict[str, str]:
    found = (directory.by_id(session, person_id) for person_id in sorted(set(person_ids)))
    return {person.id: person.email for person in found if person}


@outcomes.command("attribute")
@common.dry_run_option
@common.json_option
def attribute(*, dry_run: bool, as_json: bool) -> None:
    """Attribute outcomes whose people are now known; the running bot does this every ten minutes."""
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        done = programme.attribute_waiting(moment)
    if as_json:
        common.print_json({"attributed": done.attributed, "waiting": done.waiting, "dry_run": dry_run})
    else:
        common.told(f"{done.attributed:,} attributed, {done.waiting:,} still waiting.", dry_run=dry_run)


@outcomes.command("weekly")
@click.option("--from", "begin", type=common.DayType(), help="The first day; 12 weeks ago when left out.")
@click.option("--until", "end", type=common.DayType(), help="The last day; today when left out.")
@common.json_option
def weekly(*, begin: date | None, end: date | None, as_json: bool) -> None:
    """Show each team's (by its manager) or person's output by week and kind; reverted or reopened work counts 0."""
    with common.app() as app, app.reading() as moment:
        last = end or day_of(app.clock(), app.zone)
        found = programme.weekly(moment, begin or last - timedelta(weeks=12), last + timedelta(days=1))
        names = _emails(moment.session, [one.unit_id for one in found])
    heading = ("week", "unit", "of", "kind", "output")
    rows = [
        (str(one.week), one.unit, names.get(one.unit_id, one.unit_id), one.kind, _decimal(one.output)) for one in found
    ]
    if as_json:
        common.print_json([dict(zip(heading, row, strict=True)) for row in rows])
    else:
        common.print_table(heading, rows)


def _decimal(thousandths: int) -> str:
    return f"{thousandths // THOUSANDTHS}.{thousandths % THOUSANDTHS:03}"
