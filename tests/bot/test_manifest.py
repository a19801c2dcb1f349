"""The Slack app's manifest: known keys, lengths that Slack takes, and no scope that the code does not need."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator, ValidationError

from bot import manifest
from bot.cli import main
from handlers.slack_app import COMMANDS
from sandbox.web_api import METHODS

REPOSITORY = Path(__file__).parents[2]
SCHEMA = json.loads((Path(__file__).parent / "slack_manifest.schema.json").read_text("utf-8"))


@pytest.mark.parametrize("url", [None, "https://tokens.example.com", "https://tokens.example.com/"])
def test_slack_knows_every_key(url: str | None) -> None:
    """Both manifests hold to Slack's schema, in which nothing unknown is allowed."""
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(manifest.build(url=url))


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": 1},
        {"display_information": {"name": "x" * 36}},
        {"settings": {"socket_mode": True}},
        {"features": {"slash_commands": [{"command": "tokens", "description": "x"}]}},
        {"_metadata": {"major_version": 3}},
    ],
)
def test_the_schema_is_strict(change: dict[str, Any]) -> None:
    """A misspelt key, a text that is too long and a command without its slash would be found."""
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(manifest.build() | change)


def test_socket_mode_needs_no_address() -> None:
    """Without an address Slack is told to use the socket; with one, to send commands to our endpoint."""
    socket, http = manifest.build(), manifest.build(url="https://tokens.example.com/")
    assert socket["settings"]["socket_mode_enabled"] is True
    assert "url" not in socket["features"]["slash_commands"][0]
    assert http["settings"]["socket_mode_enabled"] is False
    assert http["features"]["slash_commands"][0]["url"] == "https://tokens.example.com/slack/events"


def test_the_command_names_its_subcommands() -> None:
    """What Slack suggests while typing is the dispatch table."""
    [command] = manifest.build()["features"]["slash_commands"]
    assert command["usage_hint"].split(" | ") == [one.name for one in COMMANDS]


def called_methods(*folders: str) -> set[str]:
    """The methods of Slack's Web API that the code calls, such as `users.info`."""
    by_function = {name.replace(".", "_").lower(): name for name in METHODS}
    found = set()
    for folder in folders:
        for path in (REPOSITORY / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                # Called at once, or handed over to be called.
                if isinstance(node, ast.Attribute):
                    name = node.attr.lower()
                    found |= {by_function[name]} if name in by_function else set()
    return found


def needed_scopes(methods: set[str]) -> set[str]:
    """Any of a method's scopes is enough, except for channels, which may be of either kind."""
    scopes: set[str] = set()
    for name in methods:
        if METHODS[name].token == "bot":
            scopes |= {scope for scope in METHODS[name].scopes if scope != "im:read"}
    return scopes


VIEWS = {"views.open", "views.publish", "views.push", "views.update"}
"""Forms and Homes need no scope."""
DELIVERING = {
    "auth.test",
    "chat.postMessage",
    "conversations.history",
    "conversations.open",
    "files.completeUploadExternal",
    "files.getUploadURLExternal",
    "users.lookupByEmail",
    "chat.update",
    "conversations.replies",
}
"""What the courier asks of Slack, beside what a command's answer does."""


def test_the_bot_asks_for_the_least() -> None:
    """Its scopes are those of the calls that answers and deliveries make, and the optional ones those of the doctor."""
    answering = called_methods("handlers", "programme", "scheduler", "templates", "store", "policy")
    assert answering == {"auth.test", "users.info", "users.list", "usergroups.users.list", *VIEWS} | DELIVERING
    # The e-mail is a field of users.info that needs a scope of its own; a slash command needs `commands`.
    assert set(manifest.BOT_SCOPES) == {"commands", "users:read.email"} | needed_scopes(answering)
    examining = called_methods("bot")
    assert examining == {"auth.test", "apps.connections.open", "conversations.info"}
    assert set(manifest.DOCTOR_SCOPES) == needed_scopes(examining)
    scopes = manifest.build()["oauth_config"]["scopes"]
    assert scopes == {"bot": list(manifest.BOT_SCOPES), "bot_optional": list(manifest.DOCTOR_SCOPES)}


def test_only_what_is_listened_to_is_subscribed() -> None:
    """Nothing is heard that nothing in the code listens to; buttons and forms are."""
    socket, http = (manifest.build(url=url)["settings"] for url in (None, "https://tokens.example.com"))
    assert socket["event_subscriptions"] == {"bot_events": list(manifest.EVENTS)}
    assert manifest.EVENTS == ("app_home_opened", "message.im", "subteam_members_changed", "subteam_updated")
    assert manifest.build()["features"]["app_home"]["home_tab_enabled"] is True
    assert socket["interactivity"] == {"is_enabled": True}
    assert http["interactivity"]["request_url"] == "https://tokens.example.com/slack/events"
    assert http["event_subscriptions"]["request_url"] == "https://tokens.example.com/slack/events"


def test_the_command_prints_it() -> None:
    """`tokens-bot manifest` prints JSON to paste, without any settings or database."""
    printed = CliRunner().invoke(main, ["manifest", "--url", "https://tokens.example.com"])
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == manifest.build(url="https://tokens.example.com")
