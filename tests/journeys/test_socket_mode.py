"""The real bot in a workspace over Socket Mode: people type commands, gateways report usage."""

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
    """The bot's HTTP side, once it is connected."""
    loaded = slack.load(slack.environment(sandbox, "sqlite:///unused.db"))
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


def test_the_bot_comes_back(sandbox: Sandbox, desk: Desk, address: str) -> None:
    """When Slack ends the connection, as it does every few hours, the bot opens another and answers on."""
    del desk, address
    assert sandbox.command(slack.ADA, slack.GENERAL, "/tokens help").error == ""
    sandbox.disconnect_sockets()
    sandbox.wait_for(lambda: not sandbox.connections or len(sandbox.deliveries()[0]) == 0)
    sandbox.wait_for(lambda: sandbox.connections)
    assert sandbox.command(slack.ADA, slack.GENERAL, "/tokens help").error == ""
