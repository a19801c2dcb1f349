"""Settings from the environment and `.env`; the environment wins."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values

from bot import logs
from handlers.slack import SLACK_API_URL
from policy import texts
from policy.reasons import Refusal
from scheduler.vendors import syncing
from scheduler.vendors.client import Access
from store import time_zones

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HIGHEST_PORT = 65_535
LOOPBACK = ("127.0.0.1", "::1", "localhost")

Part = Literal["http", "bot", "courier", "tick"]
PARTS: tuple[Part, ...] = get_args(Part)
"""Intake over HTTP; answers to people in Slack; delivery of what is owed to Slack; what the calendar asks for."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, checked; secrets stay out of `repr`."""

    slack_bot_token: str | None
    slack_app_token: str | None
    slack_signing_secret: str | None
    slack_api_url: str
    database_url: str
    http_host: str
    http_port: int
    zone: ZoneInfo
    governance_channel: str | None
    announce_channel: str | None
    recruiters_channel: str | None
    board_usergroup: str | None
    handbook: Path | None
    github_webhook_secret: str | None
    log: logs.Style
    database_read_url: str | None = None
    """A copy of the database, for reports."""
    vendors: tuple[Access, ...] = ()
    """Those whose admin key is set."""

    def __repr__(self) -> str:
        return (
            f"Settings(slack_api_url={self.slack_api_url!r}, http={self.http_host}:{self.http_port}, {self.zone.key})"
        )

    @property
    def socket_mode(self) -> bool:
        """An app token means Socket Mode; a signing secret without one means HTTP."""
        return self.slack_app_token is not None


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; a Refusal names every variable that is wrong, and its value."""
    if environ is None:
        environ = {**{k: v for k, v in dotenv_values(".env").items() if v is not None}, **os.environ}
    values = {name: text.strip() for name, text in environ.items() if text.strip()}
    ours = ("SLACK_", "TOKENS_", "GITHUB_", "OPENAI_ADMIN_", "ANTHROPIC_ADMIN_")
    unfit = [name for name, text in values.items() if name.startswith(ours) and not texts.is_storable(text)]
    problems = [f"{name} is not text in UTF-8" for name in unfit]
    settings = Settings(
        slack_bot_token=_prefixed(values, "SLACK_BOT_TOKEN", "xoxb-", problems),
        slack_app_token=_prefixed(values, "SLACK_APP_TOKEN", "xapp-", problems),
        slack_signing_secret=values.get("SLACK_SIGNING_SECRET"),
        slack_api_url=_api_url(values, problems),
        database_url=values.get("TOKENS_DATABASE_URL", "sqlite:///var/tokens.db"),
        http_host=values.get("TOKENS_HTTP_HOST", "127.0.0.1"),
        http_port=_port(values, problems),
        zone=_zone(values, problems),
        governance_channel=values.get("TOKENS_GOVERNANCE_CHANNEL"),
        announce_channel=values.get("TOKENS_ANNOUNCE_CHANNEL"),
        recruiters_channel=values.get("TOKENS_RECRUITERS_CHANNEL"),
        board_usergroup=values.get("TOKENS_BOARD_USERGROUP"),
        handbook=Path(values["TOKENS_HANDBOOK"]) if "TOKENS_HANDBOOK" in values else None,
        github_webhook_secret=values.get("GITHUB_WEBHOOK_SECRET"),
        log=_log(values, problems),
        database_read_url=values.get("TOKENS_DATABASE_READ_URL"),
        vendors=tuple(_vendors(values, problems)),
    )
    if problems:
        raise Refusal("settings_invalid", "The environment has mistakes:\n" + "\n".join(problems))
    return settings


def _prefixed(values: Mapping[str, str], name: str, prefix: str, problems: list[str]) -> str | None:
    token = values.get(name)
    if token is not None and not token.startswith(prefix):
        # The value is a secret: its beginning says enough of which kind of token it is.
        problems.append(f"{name} begins with {token[:5]!r}; expected {prefix}…")
    return token


def _api_url(values: Mapping[str, str], problems: list[str]) -> str:
    url = values.get("SLACK_API_URL", SLACK_API_URL)
    if not url.startswith(("http://", "https://")) or not url.endswith("/api/"):
        problems.append(f"SLACK_API_URL = {url!r}: expected a URL that ends with /api/")
    elif url.startswith("http://") and urlsplit(url).hostname not in LOOPBACK:
        problems.append(f"SLACK_API_URL = {url!r}: the token would travel unencrypted; expected https://")
    return url


def _vendors(values: Mapping[str, str], problems: list[str]) -> Iterator[Access]:
    """Admin keys read a whole organisation's usage and costs: they come from the environment and nowhere else."""
    for vendor, (usual, *_) in syncing.SPEECH.items():
        name = f"{vendor.upper()}_ADMIN_URL"
        url = values.get(name, usual).rstrip("/")
        if not url.startswith(("http://", "https://")):
            problems.append(f"{name} = {url!r}: expected a URL such as {usual}")
        elif url.startswith("http://") and urlsplit(url).hostname not in LOOPBACK:
            problems.append(f"{name} = {url!r}: the key would travel unencrypted; expected https://")
        if key := values.get(f"{vendor.upper()}_ADMIN_KEY"):
            yield Access(vendor, url, key)


def _port(values: Mapping[str, str], problems: list[str]) -> int:
    text = values.get("TOKENS_HTTP_PORT", "8080")
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        problems.append(f"TOKENS_HTTP_PORT = {text!r}: expected a port number")
        return 0
    return int(text)


def _log(values: Mapping[str, str], problems: list[str]) -> logs.Style:
    try:
        return logs.parse(values.get("TOKENS_LOG", ""))
    except ValueError as error:
        problems.append(f"TOKENS_LOG: {error}")
        return logs.Style()


def _zone(values: Mapping[str, str], problems: list[str]) -> ZoneInfo:
    time_zones.use_packaged()
    name = values.get("TOKENS_TIME_ZONE", "UTC")
    if (zone := time_zones.known(name)) is not None:
        return zone
    problems.append(f"TOKENS_TIME_ZONE = {name!r}: expected a time zone such as Europe/Berlin")
    return ZoneInfo("UTC")
