"""The real bot in the cast's workspace, and how often it is killed."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from tests.support import browser, depth, slack
from tests.support.clock import RunningClock
from tests.support.requests import convene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from programme.app import App
    from sandbox import Sandbox


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    slack.without_proxies(monkeypatch)


@pytest.fixture
def kills() -> int:
    """How often a bot is killed in one test: fifty times on each database, or a few times on one."""
    return depth.either(quick=3, deep=50)


@pytest.fixture
def office(sqlite_app: App) -> App:
    """A launched company with a complete board; its time goes on by itself."""
    return dataclasses.replace(convene(sqlite_app), clock=RunningClock())


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """The workspace, which gives the bot more time where a browser works beside it."""
    options = {"deadline": slack.PATIENT} if "page" in request.fixturenames else {}
    with slack.workspace(**options) as running:
        yield running
        assert running.warnings == ()


@pytest.fixture
def _bot(sandbox: Sandbox, office: App) -> Iterator[None]:
    """The bot at the office's app, connected to the workspace."""
    with slack.bot(sandbox, office, slack.load(slack.environment(sandbox, slack.NO_DATABASE))):
        yield


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.launched() as running:
        yield running


@pytest.fixture
def page(chromium: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    slack.without_hurry(monkeypatch)
    with browser.opened(chromium) as opened:
        yield opened
