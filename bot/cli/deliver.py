"""`deliver`: messages owed to Slack, sent or looked at."""

from __future__ import annotations

import sys
import time

import click

from bot import settings
from bot.cli import common
from policy.counting import many
from policy.reasons import Refusal
from scheduler import courier, remedies, slack_delivery
from scheduler.delivered import Delivered
from scheduler.slack_rates import SlackRates
from scheduler.troubles import CERTIFICATE, NO_ANSWER
from store.outbox import messages

PAUSE_SECONDS = 1
NO_KEY = ""
"""What `--retry` alone stands for."""


@click.command()
@click.option("--list", "show", is_flag=True, help="Show what is not delivered, and what to do about it.")
@click.option(
    "--retry",
    metavar="[KEY]",
    is_flag=False,
    flag_value=NO_KEY,
    help="Try a parked message again; `all` for every one, or with --problem those with one problem.",
)
@click.option("--problem", metavar="CODE", help="Of --list and --retry: only what Slack last said this about.")
@click.option("--limit", type=common.COUNTED, default=50, show_default=True, help="Of --list.")
@click.option("--dry-run", is_flag=True, help="Of --retry: show what would be tried, and change nothing.")
@common.json_option
def deliver(*, show: bool, retry: str | None, problem: str | None, limit: int, dry_run: bool, as_json: bool) -> None:
    """Send what is due now, at the rate that Slack takes. A running bot does so by itself."""
    if dry_run and retry is None:
        raise click.UsageError("--dry-run goes with --retry; --list shows what is not delivered.")
    if show:
        _list(limit, problem, as_json=as_json)
    elif retry is not None:
        _retry(retry, problem, dry_run=dry_run)
    elif problem is not None:
        raise click.UsageError("--problem goes with --list or --retry.")
    else:
        _deliver(as_json=as_json)


def _list(limit: int, problem: str | None, *, as_json: bool) -> None:
    with common.app() as app, app.database.reading() as session:
        found = messages.pending(session, limit=limit, problem=problem)
    rows = [
        (
            p.key,
            p.state,
            p.problem or "",
            p.attempts,
            p.due_at.isoformat(),
            remedies.remedy(p.problem, key=p.key) if p.problem else "",
        )
        for p in found
    ]
    heading = ("key", "state", "problem", "attempts", "due_at", "what_to_do")
    if as_json:
        common.print_json([dict(zip(heading, row, strict=True)) for row in rows])
    elif rows:
        common.print_table(heading, rows)
    else:
        click.echo(f"Nothing waits because of {problem}." if problem else "Everything is delivered.")


def _retry(key: str, problem: str | None, *, dry_run: bool) -> None:
    if key == NO_KEY and problem is None:
        raise click.UsageError("--retry needs the KEY of a message, `all`, or --problem CODE.")
    one = None if key in {NO_KEY, "all"} else key
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        count = messages.retry(moment.session, key=one, problem=problem, now=moment.now)
    if not count and (one or problem):
        named = [f"the key {one!r}"] * (one is not None) + [f"the problem {problem!r}"] * (problem is not None)
        text = f"No parked message has {' and '.join(named)}."
        raise Refusal("not_parked", text, next_step="See `deliver --list`.")
    common.told(f"{many(count, 'message')} will be tried again.", dry_run=dry_run)


def _why(stopped: str) -> str:
    return "Slack does not answer." if stopped in {CERTIFICATE, NO_ANSWER} else f"Slack says {stopped}."


def _deliver(*, as_json: bool) -> None:
    loaded = settings.load()
    if not loaded.slack_bot_token:
        raise Refusal("no_bot_token", "SLACK_BOT_TOKEN is not set.", next_step="See `tokens-bot doctor`.")
    slack = slack_delivery.client(loaded.slack_bot_token, loaded.slack_api_url)
    me, total, rates = courier.name(), Delivered(), SlackRates()
    with common.app() as app:
        with app.database.reading() as session:
            due = messages.count_due(session, app.clock())
        with click.progressbar(length=due, label="Delivering", file=sys.stderr) as bar:
            while (done := courier.deliver(app, slack, courier=me, rates=rates)).leased:
                bar.update(done.leased)
                for figure in ("sent", "settled", "postponed", "parked"):
                    setattr(total, figure, getattr(total, figure) + getattr(done, figure))
                if done.stopped:
                    raise Refusal("slack_stops", _why(done.stopped), next_step=remedies.remedy(done.stopped))
                time.sleep(PAUSE_SECONDS)
    figures = {"sent": total.sent + total.settled, "postponed": total.postponed, "parked": total.parked}
    if as_json:
        common.print_json(figures)
    else:
        click.echo(", ".join(f"{count} {what}" for what, count in figures.items()))
