"""Asking for what a setup needs, a question at a time; what is known already is offered, and Enter keeps it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from slack_sdk import WebClient

from bot.checks import slack
from bot.setup import answers as told
from bot.setup import files
from bot.setup.answers import Answers, Gateway, Slack
from handlers import amounts
from handlers.slack import SLACK_API_URL
from policy import handbook
from policy.period import Month
from policy.reasons import Refusal
from store import time_zones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from bot.findings import Finding

ZONE = """\
The programme's time zone says when its days, months and quarters begin, for everyone.
It is for ever: days that were counted can't be counted again. Name a place, such as Europe/Berlin."""
DATABASE = "SQLite is one file and enough for one process; for several, a URL such as postgresql://tokens@db/tokens."
TOKENS = """\
Slack: at api.slack.com/apps, create an app from `tokens-bot manifest`, and install it. Tokens aren't shown as you type.
Enter alone leaves Slack for later."""


def known() -> Answers:
    """What an earlier setup, or somebody, has written down already."""
    env = files.env_values()
    path = Path(env.get("TOKENS_HANDBOOK", "handbook.toml"))
    text = path.read_text("utf-8") if path.exists() else ""
    parsed = handbook.parse(text) if text else None
    launched = parsed.rollout.launched_on if parsed else None
    return Answers(
        time_zone=env.get("TOKENS_TIME_ZONE", ""),
        database=env.get("TOKENS_DATABASE_URL", "sqlite:///var/tokens.db"),
        handbook=str(path),
        contact=parsed.contact if parsed else "",
        launch=str(Month.containing(launched)) if launched else "",
        services=tuple(one.key for one in parsed.services) if parsed else (),
        slack=Slack(
            bot_token=env.get("SLACK_BOT_TOKEN", ""),
            app_token=env.get("SLACK_APP_TOKEN", ""),
            signing_secret=env.get("SLACK_SIGNING_SECRET", ""),
            governance_channel=env.get("TOKENS_GOVERNANCE_CHANNEL", ""),
            announce_channel=env.get("TOKENS_ANNOUNCE_CHANNEL", ""),
            board_usergroup=env.get("TOKENS_BOARD_USERGROUP", ""),
        ),
    )


def ask_settings(answers: Answers) -> Answers:
    """The zone, the database and Slack; each token and channel is tried at once."""
    click.echo(ZONE)
    zone = _asked("Time zone", answers.time_zone, _zone)
    click.echo(f"\n{DATABASE}")
    # The URL may hold a password, so it is not shown.
    shown = "keep" if "@" in answers.database else answers.database
    database = _asked("Database", shown, _any)
    database = answers.database if database == shown else database
    click.echo(f"\n{TOKENS}")
    return msgspec.structs.replace(answers, time_zone=zone, database=database, slack=_slack(answers.slack))


def _slack(before: Slack) -> Slack:
    url = os.environ.get("SLACK_API_URL") or files.env_values().get("SLACK_API_URL", SLACK_API_URL)
    bot_token = _secret("Bot token (xoxb-…)", before.bot_token, lambda token: slack.of_bot_token(_client(token, url)))
    if not bot_token:
        return before
    app_token = _secret("App token (xapp-…)", before.app_token, lambda token: slack.of_app_token(token, url))
    asked = _client(bot_token, url)
    return msgspec.structs.replace(
        before,
        bot_token=bot_token,
        app_token=app_token,
        governance_channel=_channel("The board's private channel (C…)", before.governance_channel, asked),
        announce_channel=_channel("The channel of the monthly digest (C…)", before.announce_channel, asked),
        board_usergroup=_asked("The board's user group (S…), if there is one", before.board_usergroup, _any),
    )


def _client(token: str, url: str) -> WebClient:
    return WebClient(token, base_url=url, timeout=slack.PATIENCE_SECONDS)


def _channel(question: str, before: str, asked: WebClient) -> str:
    def check(id_: str) -> str:
        if id_:
            click.echo(_require_good(slack.of_channel("It", id_, asked)))
        return id_

    return _asked(question, before, check)


def ask_programme(answers: Answers) -> Answers:
    """Whom to ask, when it begins, and what may be used: the first lines of the company's handbook."""
    packaged = handbook.parse(handbook.packaged())
    contact = _asked("Whom do people ask, and where", answers.contact or packaged.contact, _any)
    click.echo("\nThe launch is the month of the first grants. Enter alone leaves it for later.")
    launch = _asked("Month of the launch (2027-01)", answers.launch, _month)
    names = [one.key for one in packaged.services]
    click.echo(f"\nServices: {', '.join(names)}. Others go into the handbook itself.")
    services = _asked("Approved ones", " ".join(answers.services or names), _services(names))
    return msgspec.structs.replace(answers, contact=contact, launch=launch, services=tuple(services.split()))


def ask_people(answers: Answers) -> Answers:
    """The file of people, which `docs/operators/people.md` describes."""
    return msgspec.structs.replace(answers, people=_asked("\nFile of people (CSV), or Enter for later", "", _file))


def ask_company(answers: Answers, bands: Iterable[str], *, has_budget: bool, has_key: bool) -> Answers:
    """The money behind the grants, for the bands that have none yet, and the first gateway."""
    midpoints: dict[str, str | int | float] = {}
    for band in bands:
        if given := _asked(f"Midpoint of pay band {band} a year (95,000 or 88,000 EUR)", "", _midpoint):
            midpoints[band] = given
    budget = "" if has_budget else _asked("What a month's grants may cost in USD (160,000), or Enter", "", _usd)
    name = "" if has_key else _asked("Name of the first gateway (litellm-eu), or Enter for later", "", _any)
    gateway = Gateway(name=name) if name else None
    return msgspec.structs.replace(answers, bands=midpoints, budget=budget, gateway=gateway)


def _asked(question: str, default: str, check: Callable[[str], str]) -> str:
    def checked(text: str) -> str:
        try:
            return check(text.strip())
        except (ValueError, Refusal) as error:
            raise click.UsageError(error.text if isinstance(error, Refusal) else str(error)) from error

    answer: Any = click.prompt(question, default=default, show_default=bool(default), value_proc=checked)
    return str(answer)


def _secret(question: str, before: str, check: Callable[[str], Finding]) -> str:
    """A secret that is tried at once, and never shown; the one before is kept with Enter."""

    def checked(text: str) -> str:
        if not text.strip():
            return before
        try:
            click.echo(_require_good(check(text.strip())))
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        return text.strip()

    suffix = " [keep]" if before else ""
    answer: Any = click.prompt(
        f"{question}{suffix}", default="", show_default=False, hide_input=True, value_proc=checked
    )
    return str(answer)


def _require_good(finding: Finding) -> str:
    if finding.level == "problem":
        raise ValueError(f"{finding.what} {finding.remedy}")
    return finding.what


def _any(text: str) -> str:
    return text


def _zone(text: str) -> str:
    time_zones.use_packaged()
    if time_zones.known(text) is None:
        raise ValueError(f"{text!r} is no time zone; expected one such as Europe/Berlin.")
    return text


def _month(text: str) -> str:
    return str(Month.parse(text)) if text else ""


def _services(names: list[str]) -> Callable[[str], str]:
    def check(text: str) -> str:
        chosen = text.replace(",", " ").split()
        if unknown := [one for one in chosen if one not in names]:
            raise ValueError(f"{unknown[0]!r} is none of them.")
        return " ".join(chosen)

    return check


def _file(text: str) -> str:
    if text and not Path(text).is_file():
        raise ValueError(f"There is no file {text}.")
    return text


def _midpoint(text: str) -> str:
    if text:
        told.midpoint_of(text)
    return text


def _usd(text: str) -> str:
    if text:
        amounts.usd(text)
    return text
