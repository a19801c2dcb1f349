"""What the environment may say, and how mistakes in it are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import settings
from policy.reasons import Refusal


def test_an_empty_environment_has_the_documented_defaults() -> None:
    """Nothing has to be set but Slack's tokens."""
    loaded = settings.load({})
    assert loaded.slack_api_url == "https://slack.com/api/"
    assert loaded.database_url == "sqlite:///var/tokens.db"
    assert (loaded.http_host, loaded.http_port, loaded.zone.key) == ("127.0.0.1", 8080, "UTC")
    assert (loaded.slack_bot_token, loaded.slack_app_token, loaded.slack_signing_secret) == (None, None, None)
    assert (loaded.governance_channel, loaded.announce_channel, loaded.board_usergroup) == (None, None, None)
    assert loaded.handbook is None
    assert loaded.github_webhook_secret is None
    assert not loaded.socket_mode


def test_every_variable_is_read() -> None:
    """Each documented variable reaches its setting, and spaces around a value do not."""
    loaded = settings.load(
        {
            "SLACK_BOT_TOKEN": " xoxb-1 ",
            "SLACK_APP_TOKEN": "xapp-1",
            "SLACK_SIGNING_SECRET": "s",
            "SLACK_API_URL": "http://127.0.0.1:1/api/",
            "TOKENS_DATABASE_URL": "postgresql://db/tokens",
            "TOKENS_HTTP_HOST": "::1",
            "TOKENS_HTTP_PORT": "0",
            "TOKENS_TIME_ZONE": "Asia/Kolkata",
            "TOKENS_GOVERNANCE_CHANNEL": "C1",
            "TOKENS_ANNOUNCE_CHANNEL": "C2",
            "TOKENS_BOARD_USERGROUP": "S1",
            "TOKENS_HANDBOOK": "/etc/handbook.toml",
            "GITHUB_WEBHOOK_SECRET": "g",
        }
    )
    assert (loaded.slack_bot_token, loaded.slack_app_token, loaded.slack_signing_secret) == ("xoxb-1", "xapp-1", "s")
    assert loaded.slack_api_url == "http://127.0.0.1:1/api/"
    assert loaded.database_url == "postgresql://db/tokens"
    assert (loaded.http_host, loaded.http_port, loaded.zone.key) == ("::1", 0, "Asia/Kolkata")
    assert (loaded.governance_channel, loaded.announce_channel, loaded.board_usergroup) == ("C1", "C2", "S1")
    assert loaded.handbook == Path("/etc/handbook.toml")
    assert loaded.github_webhook_secret == "g"
    assert loaded.socket_mode


def test_a_blank_variable_is_not_set() -> None:
    """An empty line in `.env` means the default."""
    loaded = settings.load({"SLACK_APP_TOKEN": "", "TOKENS_HTTP_PORT": "  ", "TOKENS_TIME_ZONE": ""})
    assert (loaded.socket_mode, loaded.http_port, loaded.zone.key) == (False, 8080, "UTC")


def test_every_mistake_is_named_at_once() -> None:
    """The refusal lists each wrong variable with its value; of a secret it shows only the beginning."""
    with pytest.raises(Refusal) as refused:
        settings.load(
            {
                "SLACK_BOT_TOKEN": "xapp-very-secret",
                "SLACK_APP_TOKEN": "xoxb-very-secret",
                "SLACK_API_URL": "https://slack.com",
                "TOKENS_HTTP_PORT": "70000",
                "TOKENS_TIME_ZONE": "Mars/Olympus",
            }
        )
    assert refused.value.text.splitlines() == [
        "The environment has mistakes:",
        "SLACK_BOT_TOKEN begins with 'xapp-'; expected xoxb-…",
        "SLACK_APP_TOKEN begins with 'xoxb-'; expected xapp-…",
        "SLACK_API_URL = 'https://slack.com': expected a URL that ends with /api/",
        "TOKENS_HTTP_PORT = '70000': expected a port number",
        "TOKENS_TIME_ZONE = 'Mars/Olympus': expected a time zone such as Europe/Berlin",
    ]


@pytest.mark.parametrize("port", ["-1", "65536", "8080.0", "http", "1e3"])
def test_ports_are_numbers(port: str) -> None:
    """Anything but a port is refused with its value."""
    with pytest.raises(Refusal, match="TOKENS_HTTP_PORT"):
        settings.load({"TOKENS_HTTP_PORT": port})


@pytest.mark.parametrize("zone", ["Europe", "../etc", "/etc/passwd", "berlin\0", "Europe/Atlantis"])
def test_zones_are_zones(zone: str) -> None:
    """Folders, paths and inventions are no time zones."""
    with pytest.raises(Refusal, match="TOKENS_TIME_ZONE"):
        settings.load({"TOKENS_TIME_ZONE": zone})


def test_secrets_stay_out_of_what_is_printed() -> None:
    """Settings that end up in a log or a traceback show no token, no secret and no database password."""
    loaded = settings.load(
        {
            "SLACK_BOT_TOKEN": "xoxb-hush",
            "SLACK_APP_TOKEN": "xapp-hush",
            "SLACK_SIGNING_SECRET": "hush",
            "TOKENS_DATABASE_URL": "postgresql://bot:hush@db/tokens",
        }
    )
    assert "hush" not in repr(loaded)
    assert "hush" not in str(loaded)


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://slack.example/api/", True),
        ("http://127.0.0.1:1/api/", True),
        ("http://localhost/api/", True),
        ("http://[::1]:1/api/", True),
        ("http://slack.com/api/", False),
        ("http://127.0.0.1.attacker.example/api/", False),
        ("http://127.0.0.1@attacker.example/api/", False),
    ],
)
def test_a_token_does_not_travel_unencrypted(url: str, *, fits: bool) -> None:
    """Plain HTTP is for a workspace on this machine."""
    if fits:
        assert settings.load({"SLACK_API_URL": url}).slack_api_url == url
        return
    with pytest.raises(Refusal, match="would travel unencrypted"):
        settings.load({"SLACK_API_URL": url})


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.env` of the working directory is read, and a variable that is set is stronger."""
    (tmp_path / ".env").write_text('TOKENS_HTTP_PORT=9001\nTOKENS_TIME_ZONE="Europe/Paris"\nLONELY\n')
    monkeypatch.setenv("TOKENS_HTTP_PORT", "9002")
    monkeypatch.delenv("TOKENS_TIME_ZONE", raising=False)
    loaded = settings.load()
    assert (loaded.http_port, loaded.zone.key) == (9002, "Europe/Paris")
