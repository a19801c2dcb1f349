"""Slack: tokens, scopes, the clock, the mode, the channels."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.findings import Finding
from bot.manifest import BOT_SCOPES
from scheduler import remedies, slack_delivery, troubles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from slack_sdk.web import SlackResponse

    from bot.settings import Settings
    from programme.app import App

GREATEST_CLOCK_SKEW = timedelta(seconds=60)
"""Slack's signatures are good for five minutes; a clock that is a minute off will be five off one day."""
PATIENCE_SECONDS = 10


def examine(settings: Settings, app: App) -> Iterator[Finding]:
    """Everything that Slack can be asked about the settings."""
    if not settings.slack_bot_token:
        yield Finding("problem", "SLACK_BOT_TOKEN is not set.", "Install the app and copy its bot token (xoxb-…).")
        return
    asked = client(settings)
    finding, answer = _identity(asked)
    yield finding
    if answer is not None:
        yield from _scopes(answer)
        yield from _clock(answer, app)
        yield _mode(settings)
        yield from _channels(settings, asked)


def client(settings: Settings) -> WebClient:
    """Slack, asked with the bot's token, which somebody waits for."""
    return WebClient(settings.slack_bot_token, base_url=settings.slack_api_url, timeout=PATIENCE_SECONDS)


def of_bot_token(asked: WebClient) -> Finding:
    """Whose the client's bot token is."""
    return _identity(asked)[0]


def _identity(asked: WebClient) -> tuple[Finding, SlackResponse | None]:
    """What Slack says the token is, and its answer if it took it."""
    try:
        answer = slack_delivery.answer_of(asked.auth_test)
    except SlackApiError as error:
        what = f"SLACK_BOT_TOKEN is refused: {error.response['error']}."
        return Finding("problem", what, "Install the app again and copy its token."), None
    except (SlackClientError, OSError) as error:
        remedy = remedies.remedy("certificate") if troubles.is_certificate(error) else "Check the network."
        return Finding("problem", f"Slack does not answer at {asked.base_url}: {error}", remedy), None
    return Finding("good", f"SLACK_BOT_TOKEN belongs to {answer['user']} in {answer['team']}."), answer


def _header(answer: SlackResponse, name: str) -> str | None:
    return next((str(value) for key, value in answer.headers.items() if key.lower() == name), None)


def _scopes(answer: SlackResponse) -> Iterator[Finding]:
    header = _header(answer, "x-oauth-scopes")
    if header is None:
        yield Finding("warning", "Slack didn't say which scopes the token has.", "Check them in the app's settings.")
        return
    granted = {scope.strip() for scope in header.split(",")}
    missing = [scope for scope in BOT_SCOPES if scope not in granted]
    if missing:
        remedy = "Paste `tokens-bot manifest` into the app's settings and install it again."
        yield Finding("problem", f"The bot token lacks {', '.join(missing)}.", remedy)
    else:
        yield Finding("good", "The bot token has every scope it needs.")


def _clock(answer: SlackResponse, app: App) -> Iterator[Finding]:
    header = _header(answer, "date")
    if header is None:
        return
    skew = abs(parsedate_to_datetime(header) - app.clock())
    if skew > GREATEST_CLOCK_SKEW:
        yield Finding(
            "problem", f"The clock is {skew.total_seconds():.0f} s off Slack's.", "Switch time synchronisation on."
        )
    else:
        yield Finding("good", "The clock agrees with Slack's.")


def _mode(settings: Settings) -> Finding:
    if settings.slack_app_token:
        return of_app_token(settings.slack_app_token, settings.slack_api_url)
    if settings.slack_signing_secret:
        return Finding("good", f"HTTP mode: Slack must reach {settings.http_host}:{settings.http_port}/slack/events.")
    remedy = "Set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET for HTTP."
    return Finding("problem", "Neither Socket Mode nor HTTP mode is set up.", remedy)


def of_app_token(token: str, url: str) -> Finding:
    """Whether a connection can be opened with an app token."""
    asked = WebClient(base_url=url, timeout=PATIENCE_SECONDS)
    try:
        slack_delivery.answer_of(asked.apps_connections_open, app_token=token)
    except SlackApiError as error:
        remedy = "Create an app-level token with connections:write, and switch Socket Mode on."
        return Finding("problem", f"SLACK_APP_TOKEN is refused: {error.response['error']}.", remedy)
    except (SlackClientError, OSError) as error:
        return Finding("problem", f"Socket Mode cannot be tried: {error}", "Check the network.")
    return Finding("good", "Socket Mode can connect.")


def _channels(settings: Settings, asked: WebClient) -> Iterator[Finding]:
    channels = {
        "TOKENS_GOVERNANCE_CHANNEL": settings.governance_channel,
        "TOKENS_ANNOUNCE_CHANNEL": settings.announce_channel,
    }
    if settings.recruiters_channel is not None:
        # Without one, recruiters are told in private.
        channels["TOKENS_RECRUITERS_CHANNEL"] = settings.recruiters_channel
    for name, channel in channels.items():
        if channel is None:
            yield Finding("warning", f"{name} is not set.", "Set it to the id of the channel (C…).")
        else:
            yield of_channel(name, channel, asked)


def of_channel(name: str, channel: str, asked: WebClient) -> Finding:
    """Whether the bot can use a channel, which a setting names by its id."""
    try:
        info = slack_delivery.answer_of(asked.conversations_info, channel=channel)["channel"]
    except SlackApiError as error:
        code = error.response["error"]
        if code == "missing_scope":
            what = f"{name} cannot be looked up without channels:read."
            return Finding("warning", what, "Add the optional scope.")
        return Finding("problem", f"{name} = {channel}: {code}.", "Check the id, and invite the bot there.")
    except (SlackClientError, OSError) as error:
        return Finding("problem", f"{name} cannot be looked up: {error}", "Check the network.")
    return _usable(name, channel, info)


def _usable(name: str, channel: str, info: Mapping[str, Any]) -> Finding:
    if info.get("is_archived"):
        return Finding("problem", f"{name} = {channel} is archived.", "Choose another channel.")
    if info.get("is_ext_shared"):
        remedy = "Choose a channel of your own: cards and reports there are for the company alone."
        return Finding("warning", f"{name} = {channel} is shared with another organization.", remedy)
    if not info.get("is_member"):
        return Finding("problem", f"The bot is not in #{info['name']} ({name}).", f"/invite it to #{info['name']}.")
    return Finding("good", f"{name} is #{info['name']}, and the bot is in it.")
