"""The guide to privacy answers every article that it names, with commands that work as they stand."""

from __future__ import annotations

import re
import shlex
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from bot.cli import main
from tests.support import books, cast, rollout
from tests.support.books import ADA
from tests.test_docs import FENCED, slug

if TYPE_CHECKING:
    import pytest

    from programme.app import App

GUIDE = Path(__file__).parents[2] / "docs" / "operators" / "privacy.md"
ARTICLES = {"15", "16", "17", "20", "22", "25", "30"}
TWIN = (
    "email,name,level,role_family,time_zone,hired_on\nada.king@example.com,Ada King,staff,engineering,UTC,2021-03-01\n"
)
LAST = "people erase"
"""Who is to be erased has left by then."""


def commands() -> list[str]:
    lines = [line for block in FENCED.findall(GUIDE.read_text("utf-8")) for line in block.splitlines()]
    return [line.partition(" #")[0].strip() for line in lines if line.startswith("tokens-bot")]


def test_every_article_has_its_answer() -> None:
    """Each has a section, which the table at the beginning leads to."""
    text = GUIDE.read_text("utf-8")
    headings = [line.lstrip("# ") for line in text.splitlines() if line.startswith("## ")]
    answered = {number for heading in headings for number in re.findall(r"\d+", heading.partition("(Art.")[2])}
    assert answered >= ARTICLES
    linked = set(re.findall(r"\]\(#([^)]+)\)", text.partition("\n## ")[0]))
    assert {slug(heading) for heading in headings if "Art." in heading} == linked


def test_every_command_of_the_guide_works(
    sqlite_app: App, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Typed one after the other in a company in which Ada has a second record, and has left before she is erased."""
    rollout.launch(sqlite_app)
    cast.hire(sqlite_app, TWIN)
    monkeypatch.chdir(tmp_path)
    env: dict[str, str | None] = {"TOKENS_DATABASE_URL": sqlite_url, "TOKENS_TIME_ZONE": "Europe/Berlin"}
    typed = commands()
    assert len(typed) >= len(ARTICLES)
    for line in typed:
        if LAST in line and not books.audited(sqlite_app, "people.erase"):
            cast.hire(sqlite_app, f"email,left_on\n{ADA},{date(2026, 1, 2)}\n")
        words = shlex.split(line.partition(" > ")[0])
        result = CliRunner().invoke(main, words[1:], env=env)
        findings = words[1] == "doctor"  # There is no Slack here, of which it tells.
        assert result.exit_code == int(findings), (line, result.output, result.exception)
    assert books.findings(sqlite_app) == {}
    assert books.audited(sqlite_app, "people.erase")
