"""`run`, `doctor`, `verify`, `manifest`."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from bot import logs, settings, wiring
from bot.cli import common
from store import audit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bot.findings import Finding
    from bot.settings import Part
    from programme.app import App
    from store.engine import Session

MOST_FINDINGS = 100
_HASH = re.compile(r"[0-9a-f]{64}")


@click.command()
@click.option(
    "--only",
    "parts",
    multiple=True,
    type=click.Choice(settings.PARTS),
    help="Run this part alone; several may be named. http: intake of usage and outcomes, without any Slack token. bot:"
    " answers in Slack. courier: sends what is owed to Slack. tick: the calendar and what waits in quarantine.",
)
def run(*, parts: tuple[Part, ...]) -> None:
    """Run the bot until it is told to stop (Ctrl-C or SIGTERM).

    Health and metrics are served in every case, at TOKENS_HTTP_HOST and TOKENS_HTTP_PORT.
    """
    from bot import serving  # noqa: PLC0415 - servers are slow to import, and only this command needs them

    loaded = settings.load()
    logs.set_up(loaded.log)
    running = [part for part in settings.PARTS if part in parts] or settings.PARTS
    with wiring.open_app(loaded) as app, serving.serving(loaded, app, running) as address:
        click.echo(_running(running, address, socket_mode=loaded.socket_mode))
        serving.wait_for_signal()
        click.echo("Stopping.")


def _running(parts: Sequence[Part], address: str, *, socket_mode: bool) -> str:
    """What runs where, the most useful first."""
    doing = []
    if "bot" in parts:
        doing.append(f"Listening to Slack ({'Socket Mode' if socket_mode else f'HTTP, at {address}/slack/events'})")
    if "http" in parts:
        doing.append(f"usage intake at {address}/v1/usage")
    if len(parts) < len(settings.PARTS):
        doing.append(f"only {', '.join(parts)}, health at {address}/readyz")
    said = "; ".join(doing)
    return f"{said[0].upper()}{said[1:]}. Ctrl-C stops."


@click.command()
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    metavar="HASH",
    callback=lambda _context, _option, value: tuple(map(_anchor, value)),
    help="A hash of the audit log that was told before, in the board's channel; may be given several times. Finds"
    " rows up to it that are missing.",
)
@common.json_option
def verify(*, anchors: tuple[str, ...], as_json: bool) -> None:
    """Recompute the ledger and the usage behind it; exit 1 and list the figures that do not hold."""
    with common.app() as app:
        findings = []
        for finding in recomputed(app, anchors):
            findings.append(finding)
            if len(findings) == MOST_FINDINGS:
                break
    if as_json:
        common.print_json({"holds": not findings, "findings": findings})
    else:
        for finding in findings:
            click.echo(finding)
        click.echo("Every figure holds." if not findings else f"{len(findings)} figures do not hold.")
    sys.exit(1 if findings else 0)


def _anchor(text: str) -> str:
    found = text.strip().strip("`").lower()
    if not _HASH.fullmatch(found):
        raise click.BadParameter(f"{text!r} is no hash of the audit log: 64 digits from 0 to f")
    return found


def recomputed(app: App, anchors: Sequence[str] = ()) -> Iterator[str]:
    """A sentence for each figure that does not hold."""
    from store.proof import verify as checks  # noqa: PLC0415 - only this command needs it

    # One transaction, so that everything is of one instant.
    with app.database.snapshot() as session:
        events = checks.count_events(session)
        with click.progressbar(length=events + len(checks.CHECKS), label="Verifying", file=sys.stderr) as bar:
            yield from audit.missing_anchors(session, anchors)
            for check in checks.CHECKS:
                yield from _found(check, session)
                bar.update(1)
            yield from checks.costs_and_days(session, app.zone, bar.update)


def _found(check: Callable[[Session], Iterator[str]], session: Session) -> Iterator[str]:
    """What a check finds; where something was written that the bot never writes, it says so, and the others go on."""
    try:
        yield from check(session)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        yield f"{check.__name__}: what stands there was not written by the bot ({type(error).__name__}: {error})"


FAILS = {"problem": ("problem",), "warning": ("problem", "warning"), "never": ()}


@click.command()
@click.option(
    "--fail-on",
    type=click.Choice(list(FAILS)),
    default="problem",
    show_default=True,
    help="The least level at which the exit code is 1.",
)
@common.json_option
def doctor(*, fail_on: str, as_json: bool) -> None:
    """Check everything the bot needs, and the next month's grants before they are made.

    Tokens, scopes, channels, database, board, clock, the running parts; then whom the next run grants, who is left out
    and why, and what is missing for it. Each finding says what to do about it.

    With --json also the e-mails of all whom a finding concerns, and what a monitoring system keeps: how the parts are
    doing, what is owed to Slack, what waits.
    """
    from bot import doctor as doctors  # noqa: PLC0415 - only this command needs it
    from bot.checks import launch  # noqa: PLC0415 - as above

    loaded = settings.load()
    app = wiring.new_app(loaded)
    findings = [*doctors.examine(loaded, app), *launch.examine(app)]
    measured = doctors.measure(app) if as_json else {}
    app.database.close()
    if as_json:
        counts = Counter(finding.level for finding in findings)
        found = {"problems": counts["problem"], "warnings": counts["warning"]}
        common.print_json({**found, **measured, "findings": [finding.__dict__ for finding in findings]})
    else:
        print_findings(findings)
    sys.exit(1 if any(finding.level in FAILS[fail_on] for finding in findings) else 0)


def print_findings(findings: Iterable[Finding]) -> None:
    """A line each, and beneath it what to do."""
    for finding in findings:
        click.echo(f"{finding.level:<7} {finding.what}")
        if finding.remedy:
            click.echo(f"        → {finding.remedy}")


@click.command()
@click.option("--url", help="The bot's public address, for HTTP mode; Socket Mode when left out.")
def manifest(url: str | None) -> None:
    """Print the Slack app manifest, to paste where Slack asks for one."""
    from bot import manifest as manifests  # noqa: PLC0415 - only this command needs it

    click.echo(json.dumps(manifests.build(url=url), indent=2))
