"""`job run`, `job list|show|cancel`: training jobs within what people have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bot.cli import common, listing
from gateways.jobs import arguments
from policy.counting import many
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from programme.holds import ending
from programme.people import directory as people
from store.holds import records
from store.people import directory

if TYPE_CHECKING:
    from store.holds.records import Hold

HEADING = ("id", "person", "service", "project", "status", "held_usd", "used_usd", "created_at", "expires_at", "flags")


@click.group()
def job() -> None:
    """Training jobs: what they hold, and what they have used."""


@job.command("run", context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments_", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def run_job(context: click.Context, arguments_: tuple[str, ...]) -> None:
    """Run a command within what is held for it, and hand its exit code through.

    It needs no database: only TOKENS_BOT_URL, and TOKENS_BOT_KEY with the scope holds:write. `--help` has its options.
    """
    context.exit(arguments.main(["run", *arguments_]))


@job.command("send")
@click.pass_context
def send_reports(context: click.Context) -> None:
    """Deliver what earlier jobs on this machine could not tell the bot."""
    context.exit(arguments.main(["send"]))


@job.command("list")
@click.option("--all", "also_over", is_flag=True, help="Also those that are over.")
@click.option("--person", "email", metavar="EMAIL", help="Only this person's.")
@click.option("--service", metavar="KEY", help="Only of this service.")
@listing.limit_option
@common.json_option
def list_jobs(*, also_over: bool, email: str | None, service: str | None, limit: int, as_json: bool) -> None:
    """List training jobs that run, the latest first."""
    with common.app() as app, app.reading() as moment:
        session = moment.session
        person_id = people.require(moment, email).id if email else None
        found = records.jobs(session, only_open=not also_over, limit=limit, person_id=person_id, service=service)
        emails = directory.emails(session, {one.person_id for one in found})
    rows = [_told(one, emails[one.person_id], as_json=as_json) for one in found]
    if as_json:
        common.print_json(rows)
        return
    if rows:
        common.print_table(HEADING, [[row[name] for name in HEADING] for row in rows])
    click.echo(f"{many(len(rows), 'job')}{'' if also_over else ' running'}.")


@job.command("show")
@click.argument("job_id")
@click.option("--source", help="The source of its key, where several have a job of that id.")
@common.json_option
def show_job(job_id: str, *, source: str | None, as_json: bool) -> None:
    """Show what a job holds, and what it has used."""
    with common.app() as app, app.database.reading() as session:
        hold = _only(records.jobs_named(session, job_id), job_id, source)
        email = directory.emails(session, [hold.person_id])[hold.person_id]
    told = _told(hold, email, as_json=as_json)
    if as_json:
        common.print_json(told)
        return
    width = max(map(len, told))
    for name, value in told.items():
        click.echo(f"{name.ljust(width)}  {value}".rstrip())


@job.command("cancel")
@click.argument("job_id")
@click.option("--why", required=True, help="The reason; it goes on record.")
@click.option("--source", help="The source of its key, where several have a job of that id.")
@common.dry_run_option
def cancel_job(job_id: str, *, why: str, source: str | None, dry_run: bool) -> None:
    """End a job: what it holds is free at once, and the job is asked to end at its next report."""
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        hold = _only(records.jobs_named(moment.session, job_id), job_id, source)
        ending.cancel(moment, hold.key, actor=common.actor(), why=why)
    freed = NanoUSD(hold.nano_usd)
    common.told(f"job {job_id} is cancelled, and USD {listing.written(freed)} are free again.", dry_run=dry_run)


def _only(found: list[Hold], job_id: str, source: str | None) -> Hold:
    jobs = [one for one in found if source in {None, one.source}]
    if not jobs:
        raise Refusal("unknown_job", f"There is no job {job_id!r}.", next_step="`tokens-bot job list` shows them.")
    if len(jobs) > 1:
        sources = ", ".join(one.source for one in jobs)
        raise Refusal("several_jobs", f"Several sources have a job {job_id!r}.", next_step=f"Add --source: {sources}.")
    return jobs[0]


def _told(hold: Hold, email: str, *, as_json: bool) -> dict[str, Any]:
    """A job under names that say of what its amounts are: exact for programs, as people write them for people."""
    said = common.plain if as_json else listing.brief
    figures = (
        *(hold.id, email, hold.service_key, hold.project, hold.status),
        *(said(NanoUSD(hold.nano_usd)), said(NanoUSD(hold.used_nano_usd))),
        *((at.isoformat() if as_json else listing.brief(at)) for at in (hold.created_at, hold.expires_at)),
        hold.flags,
    )
    held, used = (said(MicroTokens(n)) for n in (hold.micro_tokens, hold.used_micro_tokens))
    return dict(zip(HEADING, figures, strict=True)) | {"held_tokens": held, "used_tokens": used}
