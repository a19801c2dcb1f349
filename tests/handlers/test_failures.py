"""What a failure, a `repr` and a list of processes tell: where to look, and no secret."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import click
from fastapi.testclient import TestClient

from bot.cli import main
from handlers import http, note_failure
from handlers.slack.routes import Endpoint
from tests.support import slack_http

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from programme.app import App

logger = logging.getLogger(__name__)


def test_no_one_writes_lines_into_the_log(
    sqlite_app: App, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line breaks and escapes in an address or a command stay what they are in one line."""

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("starlette.routing.Router.not_found", fail)
    with TestClient(http.build(sqlite_app), raise_server_exceptions=False) as client:
        assert client.get("/x%0AERROR all is well%1B[31m%E2%80%A8y").status_code == 500
    [told] = [record.getMessage() for record in caplog.records if "failed" in record.getMessage()]
    assert told.splitlines()[0].startswith(r"/x\nERROR all is well\x1b[31m\u2028y failed (")


def test_an_unknown_kind_is_one_line(sqlite_app: App, caplog: pytest.LogCaptureFixture) -> None:
    """The same of a request of Slack's that nothing handles."""
    with slack_http.listening(sqlite_app) as slack:
        assert slack.event({"type": "new\nkind"}).status_code == 404
    [told] = [record.getMessage() for record in caplog.records if "nothing here handles" in record.getMessage()]
    assert told.endswith(r"of the kind 'new\nkind'")


def test_an_ordinary_failure_is_told_as_before(caplog: pytest.LogCaptureFixture) -> None:
    """What holds no line break is logged as it is, with its number."""
    number = note_failure(logger, "/tokens balance", ValueError("4120 tokens"))
    assert caplog.records[-1].getMessage().startswith(f"/tokens balance failed ({number}): ValueError")
    assert "4120" not in caplog.text


def test_endpoints_do_not_print_their_secret() -> None:
    """An endpoint in a traceback or a log shows no signing secret."""
    bolt: Any = "the app"
    assert "hush" not in repr(Endpoint(bolt, "hush"))


def commands(command: click.Command) -> Iterator[click.Command]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below)
    else:
        yield command


def test_no_command_takes_a_secret() -> None:
    """Arguments stand in the list of processes, and in the shell's history: secrets come from the environment alone."""
    found = {str(parameter.name) for command in commands(main) for parameter in command.params}
    assert "email" in found
    assert not [name for name in found if any(word in name for word in ("secret", "token", "password"))]
