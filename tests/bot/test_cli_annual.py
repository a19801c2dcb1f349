"""`tokens-bot reviews annual import`: a dry run, the import, and JSON for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner

from bot.cli import main
from tests.programme.reviews.test_annual import CHANGES, FILE
from tests.support import rollout

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from programme.app import App


def test_finance_imports_groups(
    sqlite_app: App, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dry run changes nothing; a mistake of the one who imports is refused with exit code 1."""
    rollout.launch(sqlite_app, changes=CHANGES)
    (tmp_path / "groups.csv").write_text(FILE, "utf-8")
    monkeypatch.setenv("TOKENS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TOKENS_TIME_ZONE", "Europe/Berlin")
    command = ["reviews", "annual", "import", "groups.csv", "--year", "2026", "--from", "2099-01", "--by"]
    dry = CliRunner().invoke(main, [*command, "omar@example.com", "--dry-run"])
    assert "Nothing was imported. It would be: 2 people from 2099-01 on (above: 1, below: 1)." in dry.output
    done = CliRunner().invoke(main, [*command, "omar@example.com", "--json"])
    assert json.loads(done.stdout) == {"people": 2, "groups": {"above": 1, "below": 1}}
    refused = CliRunner().invoke(main, [*command, "ada@example.com"])
    assert (refused.exit_code, "role `finance`" in refused.output) == (1, True)
