"""`tokens-bot chart`: the programme's pictures as files, with what they show in words."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bot.cli import main
from tests.support import cast, teams
from tests.support.books import ADA, BEN
from tests.support.clock import Clock
from tests.support.teams import MARA, TEAM

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from programme.app import App

    Run = Callable[..., Result]

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def office(sqlite_app: App) -> App:
    """A app of today: the command reads the machine's clock."""
    return dataclasses.replace(sqlite_app, clock=Clock(datetime.now(UTC)))


@pytest.fixture
def run(sqlite_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("TOKENS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TOKENS_TIME_ZONE", "Europe/Berlin")
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, ["chart", *words])


def test_a_team_a_month_and_the_programme_are_drawn(run: Run, office: App, tmp_path: Path) -> None:
    """Each is a PNG, and what it shows is printed."""
    teams.hire_team(office)
    cast.give(office, ADA, "1000")
    teams.work(office, dict.fromkeys(TEAM, 10))
    wanted = {
        "team": ("team", MARA, "Bar chart of USD spent a week"),
        "month": ("burn-down", ADA, "tokens"),
        "use": ("utilisation", None, "regular grant"),
    }
    for name, (command, who, words) in wanted.items():
        path = tmp_path / f"{name}.png"
        result = run(command, *([who] if who else []), "--out", str(path))
        assert result.exit_code == 0, result.output
        assert words in result.output
        assert path.read_bytes().startswith(PNG)


def test_what_cannot_be_drawn_is_refused(run: Run, office: App) -> None:
    """Without reports there is no team, without tokens ever no month, and for a stranger neither."""
    for words, said in (
        (("team", ADA), "No one reports to"),
        (("burn-down", BEN), "has had no tokens yet"),
        (("team", "nobody@example.com"), "No one has the e-mail"),
    ):
        refused = run(*words)
        assert (refused.exit_code, said in refused.output) == (1, True)
    assert office.clock()
