"""The same journeys in HTTP mode: Slack posts signed requests to the bot's own port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.journeys import days_at_work
from tests.support import slack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.desk import Desk
    from sandbox import Sandbox


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    slack.without_proxies(monkeypatch)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with slack.workspace() as running:
        yield running
        assert running.warnings == ()


@pytest.fixture
def address(sandbox: Sandbox, desk: Desk) -> Iterator[str]:
    """The bot's HTTP side, to which the workspace's requests go as well."""
    loaded = slack.load(slack.signed_environment(sandbox, "sqlite:///unused.db"))
    with slack.bot(sandbox, desk, loaded) as running:
        yield running


def test_adas_day(sandbox: Sandbox, desk: Desk, address: str) -> None:
    """Ada reads her balance, her gateway reports what she used, and the next command knows it to the last digit."""
    days_at_work.ada_reads_uses_and_reads_again(sandbox, desk, address)


def test_everybody_gets_an_answer(sandbox: Sandbox, desk: Desk, address: str) -> None:
    """Known and unknown people get their answers to every command, each for their own eyes."""
    del address
    days_at_work.everybody_asks_everything(sandbox, desk)


def test_twenty_commands_at_once(sandbox: Sandbox, desk: Desk, address: str) -> None:
    """Twenty people ask in the same instant, and each has their own figures before Slack gives up."""
    days_at_work.twenty_ask_at_once(sandbox, desk, address)


def test_another_secret_is_refused(sandbox: Sandbox, address: str) -> None:
    """Requests signed with another app's secret are not answered, and Slack shows that to the person."""
    del address
    sandbox.workspace.change_app(signing_secret="another")
    assert sandbox.command(slack.ADA, slack.GENERAL, "/tokens balance").error == "dispatch_failed"
    assert sandbox.calls == ()
