"""`deliver`: messages owed to Slack, sent or looked at."""

from __future__ import annotations

import sys
import time

import click

from bot import settings
from bot.cli import common
from policy.reasons import Refusal
from scheduler import courier, slack_delivery, troubles
from store.outbox import messages

PAUSE_SECONDS = 1


@click.command()
@click.option("--list", "show", is_flag=True, help="Show what is not delivered, and what to do about it.")
@click.option("--retry", metavar="KEY", help="Try a parked message again; `all` for every one.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Of --list.")
@common.json_option
def deliver(*, show: bool, retry: str | None, limit: int, as_json: bool) -> None:
    """Send what is due now, at the rate that Slack takes. A running bot does so by itself."""
    if show:
        _list(limit, as_json=as_json)
    elif retry is not None:
        _retry(retry)
    else:
        _deliver(as_json=as_json)


def _list(limit: int, *, as_json: bool) -> None:
    with common.app() as app, app.database.reading() as session:
        found = messages.pending(session, limit=limit)
    rows = [
        (
            p.key,
            p.state,
            p.problem or "",
            p.attempts,
            p.due_at.isoformat(),
            troubles.remedy(p.problem) if p.problem else "",
        )
        for p in found
    ]
    heading = ("key", "state", "problem", "attempts", "due_at", "what_to_do")
    if as_json:
        common.print_json([dict(zip(heading, row, strict=True)) for row in rows])
    elif rows:
        common.print_table(heading, rows)
    else:
        click.echo("Everything is delivered.")


def _retry(key: str) -> None:
    with common.app() as app, app.database.transaction() as session:
        count = messages.retry(session, None if key == "all" else key, now=app.clock())
    if not count and key != "all":
        raise Refusal("not_parked", f"No parked message has the key {key!r}.", next_step="See `deliver --list`.")
    click.echo(f"{count} {'message' if count == 1 else 'messages'} will be tried again.")


def _deliver(*, as_json: bool) -> None:
    loaded = settings.load()
    if not loaded.slack_bot_token:
        raise Refusal("no_bot_token", "SLACK_BOT_TOKEN is not set.", next_step="See `tokens-bot doctor`.")
    slack = slack_delivery.client(loaded.slack_bot_token, loaded.slack_api_url)
    me, total = courier.name(), courier.Delivered()
    with common.app() as app:
        with app.database.reading() as session:
            due = messages.count_due(session, app.clock())
        with click.progressbar(length=due, label="Delivering", file=sys.stderr) as bar:
            while (done := courier.deliver(app, slack, courier=me)).leased:
                bar.update(done.leased)
                for figure in ("sent", "settled", "postponed", "parked"):
                    setattr(total, figure, getattr(total, figure) + getattr(done, figure))
                if done.stopped:
                    raise Refusal("slack_stops", f"Slack says {done.stopped}.", next_step=troubles.remedy(done.stopped))
                time.sleep(PAUSE_SECONDS)
    figures = {"sent": total.sent + total.settled, "postponed": total.postponed, "parked": total.parked}
    if as_json:
        common.print_json(figures)
    else:
        click.echo(", ".join(f"{count} {what}" for what, count in figures.items()))
