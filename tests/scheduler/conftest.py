"""A workspace that couriers deliver to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler import slack_delivery
from tests.support import slack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slack_sdk import WebClient

    from sandbox import Sandbox
    from tests.support.clock import Clock


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    slack.without_proxies(monkeypatch)


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    """A workspace on the app's clock, where many messages may be posted at once."""
    with slack.workspace(clock=clock, post_burst=100) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> WebClient:
    return slack_delivery.client(sandbox.workspace.app.bot_token, sandbox.api_url)
