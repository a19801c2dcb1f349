"""`tokens-bot reviews annual draft|import`: a handbook to propose, a dry run, the import, and JSON for programs."""

from __future__ import annotations

import dataclasses
import json
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from click.testing import CliRunner

from bot.cli import common, main
from policy import handbook
from policy.period import Month
from programme.grants import monthly
from tests.programme.reviews.test_annual import CHANGES, FILE
from tests.support import rollout

JANUARY = datetime(2027, 1, 20, 9, tzinfo=UTC)

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
    assert "Nothing was changed. It would be: 2 people from 2099-01 on (above: 1, below: 1)." in dry.output
    done = CliRunner().invoke(main, [*command, "omar@example.com", "--json"])
    assert json.loads(done.stdout) == {
        "people": 2,
        "groups": {"above": 1, "below": 1},
        "dry_run": False,
    }
    refused = CliRunner().invoke(main, [*command, "ada@example.com"])
    assert (refused.exit_code, "role `finance`" in refused.output) == (1, True)


def test_a_year_s_draft_is_a_file(sqlite_app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The handbook is written, the reasons are printed, and nothing is on record by it; a year to come is refused."""
    rollout.launch(sqlite_app)
    with sqlite_app.transaction(datetime(2026, 1, 1, 9, tzinfo=UTC)) as moment:
        monthly.run(moment, Month(2026, 1))
    monkeypatch.setattr(common, "app", lambda: nullcontext(dataclasses.replace(sqlite_app, clock=lambda: JANUARY)))
    command = ["reviews", "annual", "draft", "--from", "2027-03", "--year"]
    done = CliRunner().invoke(main, [*command, "2026", "--out", str(tmp_path / "next.toml")])
    assert done.exit_code == 0, done.output
    assert "# Version 2027.1: what 2026 calls for" in done.stdout
    assert handbook.parse((tmp_path / "next.toml").read_text("utf-8")).version == "2027.1"
    told = json.loads(CliRunner().invoke(main, [*command, "2026", "--out", str(tmp_path / "x"), "--json"]).stdout)
    assert (told["version"], told["people"], told["quarters"]) == ("2027.1", 1, 1)
    refused = CliRunner().invoke(main, [*command, "2027"])
    assert (refused.exit_code, "2027 is not over" in refused.output) == (1, True)
