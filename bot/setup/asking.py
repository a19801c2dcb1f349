"""Asking for what a setup needs, a question at a time; what is known already is offered, and Enter keeps it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace
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
    from collections.abc import Callable, Iterator, Sequence
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


def ask_settings(answers: Answers) -> Iterator[Answers]:
    """The zone, the database and Slack, with each answer; each token and channel is tried at once."""
    click.echo(ZONE)
    answers = replace(answers, time_zone=_asked("Time zone", answers.time_zone, _zone))
    yield answers
    click.echo(f"\n{DATABASE}")
    # The URL may hold a password, so it is not shown.
    shown = "keep" if "@" in answers.database else answers.database
    database = _asked("Database", shown, _any)
    answers = answers if database == shown else replace(answers, database=database)
    yield answers
    click.echo(f"\n{TOKENS}")
    for slack_told in _ask_slack(answers.slack):
        yield replace(answers, slack=slack_told)


def _ask_slack(told_before: Slack) -> Iterator[Slack]:
    url = os.environ.get("SLACK_API_URL") or files.env_values().get("SLACK_API_URL", SLACK_API_URL)
    now = told_before
    bot_token = _secret("Bot token (xoxb-…)", now.bot_token, lambda token: slack.of_bot_token(_client(token, url)))
    if not bot_token:
        return
    now = replace(now, bot_token=bot_token)
    yield now
    now = replace(
        now, app_token=_secret("App token (xapp-…)", now.app_token, lambda token: slack.of_app_token(token, url))
    )
    yield now
    asked = _client(bot_token, url)
    now = replace(now, governance_channel=_channel("The board's private channel (C…)", now.governance_channel, asked))
    yield now
    digest = "The channel of the monthly digest (C…)"
    now = replace(now, announce_channel=_channel(digest, now.announce_channel, asked))
    yield now
    group = _asked("The board's user group (S…), if there is one", now.board_usergroup, _any)
    yield replace(now, board_usergroup=group)


def _client(token: str, url: str) -> WebClient:
    return WebClient(token, base_url=url, timeout=slack.PATIENCE_SECONDS)


def _channel(question: str, before: str, asked: WebClient) -> str:
    def check(id_: str) -> str:
        if id_:
            click.echo(_require_good(slack.of_channel("It", id_, asked)))
        return id_

    return _asked(question, before, check)


def ask_programme(answers: Answers) -> Iterator[Answers]:
    """Whom to ask, when it begins, and what may be used: the first lines of the company's handbook."""
    packaged = handbook.parse(handbook.packaged())
    contact = _asked("Whom do people ask, and where", answers.contact or packaged.contact, _any)
    answers = replace(answers, contact=contact)
    yield answers
    click.echo("\nThe launch is the month of the first grants. Enter alone leaves it for later.")
    answers = replace(answers, launch=_asked("Month of the launch (2027-01)", answers.launch, _month))
    yield answers
    names = [one.key for one in packaged.services]
    click.echo(f"\nServices: {', '.join(names)}. Others go into the handbook itself.")
    services = _asked("Approved ones", " ".join(answers.services or names), _services(names))
    yield replace(answers, services=tuple(services.split()))


def ask_people(answers: Answers) -> Iterator[Answers]:
    """The file of people, which `docs/operators/people.md` describes."""
    yield replace(answers, people=_asked("\nFile of people (CSV), or Enter for later", answers.people, _file))


def ask_company(answers: Answers, bands: Sequence[str], *, has_budget: bool, has_key: bool) -> Iterator[Answers]:
    """The money behind the grants, for the bands that have none yet, and the first gateway."""
    answers = replace(
        answers,
        bands={band: answers.bands[band] for band in bands if band in answers.bands},
        budget="" if has_budget else answers.budget,
        gateway=None if has_key else answers.gateway,
    )
    for band in bands:
        before = str(answers.bands.get(band, ""))
        if given := _asked(f"Midpoint of pay band {band} a year (95,000 or 88,000 EUR)", before, _midpoint):
            answers = replace(answers, bands={**answers.bands, band: given})
            yield answers
    if not has_budget:
        question = "What a month's grants may cost in USD (160,000), or Enter"
        answers = replace(answers, budget=_asked(question, str(answers.budget), _usd))
        yield answers
    if not has_key:
        before = answers.gateway.name if answers.gateway else ""
        name = _asked("Name of the first gateway (litellm-eu), or Enter for later", before, _any)
        yield replace(answers, gateway=Gateway(name=name) if name else None)


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
