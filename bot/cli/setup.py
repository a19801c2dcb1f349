"""`setup`: settings, the first handbook and the first data, asked for or from a file."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from bot import wiring
from bot.checks import launch, slack
from bot.cli import common
from bot.cli.running import print_findings
from bot.setup import answers as told
from bot.setup import asking, files, steps
from policy.reasons import Refusal
from store.people import directory, terms
from store.usage import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.settings import Settings
    from bot.setup.answers import Answers
    from programme.app import App

STOPPABLE = f"""\
End this at any time (Ctrl-C) and run it again: each answer is kept as it is given, in {files.UNFINISHED}, which only
you may read, until it is written where it belongs."""
RESUMED = f"The answers of the setup that was ended are in {files.UNFINISHED}: Enter keeps each."


@click.command()
@click.option(
    "--from",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take the answers from a TOML file, and ask nothing.",
)
@click.option("--check", is_flag=True, help="With --from: try everything, ask Slack, and change nothing.")
def setup(*, file: Path | None, check: bool) -> None:
    """Set the bot up in this folder: .env, the first handbook, the database, people, pay bands, a budget, a key.

    Asks what it needs, offers what it knows, and may be stopped and run again at any time: what is done stays done, and
    no answer is lost. At the end stands what is missing for the first grants.
    """
    if file is None:
        if check:
            raise click.UsageError("--check goes with --from; `tokens-bot doctor` checks what is there.")
        _asked()
        return
    answers = told.read(file)
    loaded = steps.settings(answers)
    _rehearse(loaded, answers)
    if check:
        click.echo("Everything would work. Nothing was changed.")
        return
    click.echo(steps.write_env(answers))
    with _migrated(loaded, answers) as app:
        _fill(app, answers)
        files.forget_kept()
        _closing(app)


def _rehearse(loaded: Settings, answers: Answers) -> None:
    """Try the answers, so that one that is wrong leaves nothing half done; a Refusal names it."""
    with steps.rehearsal(loaded, answers) as (app, is_own):
        findings = list(slack.examine(loaded, app)) if loaded.slack_bot_token else []
        print_findings(findings)
        if problems := [one.what for one in findings if one.level == "problem"]:
            text = f"Slack does not take these answers: {' '.join(problems).rstrip('.')}."
            raise Refusal("slack_refuses", text, next_step="Nothing was written.")
        with app.undone() as moment:
            for line in steps.fill(moment, answers, actor=common.actor()):
                click.echo(f"Tried on {'the ledger' if is_own else 'an empty ledger'}: {line}")


def _asked() -> None:
    click.echo(f"{RESUMED if files.UNFINISHED.exists() else STOPPABLE}\n")
    answers = files.with_kept(asking.known())
    answers = _kept(asking.ask_settings(answers), answers)
    loaded = steps.settings(answers)
    click.echo()
    click.echo(steps.write_env(answers))
    answers = _kept(asking.ask_programme(answers), answers)
    click.echo()
    with _migrated(loaded, answers) as app:
        answers = _kept(asking.ask_people(answers), answers)
        _fill(app, msgspec.structs.replace(answers, bands={}, budget="", gateway=None))
        with app.reading() as moment:
            missing = sorted(directory.pay_bands(moment.session) - terms.midpoints(moment.session, moment.today).keys())
            has_budget, has_key = bool(terms.budgets_set(moment.session)), bool(keys.listed(moment.session))
        asked = asking.ask_company(answers, missing, has_budget=has_budget, has_key=has_key)
        _fill(app, _kept(asked, answers))
        files.forget_kept()
        _closing(app)


def _kept(asked: Iterator[Answers], answers: Answers) -> Answers:
    """All the answers; what is not where it belongs yet is kept as soon as it is given."""
    files.keep(answers, asking.known())
    for latest in asked:
        answers = latest
        files.keep(answers, asking.known())
    return answers


@contextmanager
def _migrated(loaded: Settings, answers: Answers) -> Iterator[App]:
    """An app whose tables are there; closed at the end."""
    app = wiring.new_app(loaded)
    try:
        for line in steps.migrate(app, answers):
            click.echo(line)
        yield app
    finally:
        app.database.close()


def _fill(app: App, answers: Answers) -> None:
    with app.transaction() as moment:
        lines = list(steps.fill(moment, answers, actor=common.actor()))
        if answers.gateway is not None:
            lines.append(steps.create_key(moment, answers, actor=common.actor()))
    for line in lines:
        click.echo(line)


def _closing(app: App) -> None:
    """What is still missing for the first grants, and what to run."""
    click.echo("\nFor the next grants:")
    print_findings(launch.examine(app))
    click.echo("\n`tokens-bot run` starts the bot; `tokens-bot doctor` looks at everything, as often as you like.")
