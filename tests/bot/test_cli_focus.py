"""`tokens-bot export focus`, as finance calls it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from click.testing import CliRunner

from bot.cli import main
from programme.usage import intake
from tests.support import books, cast, offices

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from programme.app import App


def test_a_month_is_written_and_the_export_is_on_record(
    sqlite_app: App, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has the rows that are told, the audit log their number; a month ahead is refused."""
    monkeypatch.setenv("TOKENS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TOKENS_TIME_ZONE", "Europe/Berlin")
    offices.settle(sqlite_app)
    offices.work(sqlite_app)
    out = tmp_path / "november.csv"
    done = CliRunner().invoke(main, ["export", "focus", "--month", "2026-11", "--spec", "1.2", "--out", str(out)])
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert f"{len(rows)} rows." in done.output
    [noted] = books.audited(sqlite_app, "focus.export")
    assert noted["after"] == {"lines": len(rows)}
    assert "once it was settled" not in done.output
    offices.work(sqlite_app, offices.OCTOBER)
    with sqlite_app.transaction() as moment:
        late = cast.event("late", at=offices.OCTOBER, who=offices.PLATFORM[0])
        assert [one.status for one in intake.take_in(moment, [late])] == ["accepted"]
    october = CliRunner().invoke(main, ["export", "focus", "--month", "2026-10", "--out", str(out)])
    assert "Some of 2026-10 was posted once it was settled." in october.output
    refused = CliRunner().invoke(main, ["export", "focus", "--month", "2100-01"])
    assert (refused.exit_code, "has not begun" in refused.output) == (1, True)
