"""`tokens-bot offer` and `offers list`: from a file to a table, a page, JSON, and a record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bot.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]

FILE = """
label = "Offer 17"
base = 180000
bonus = 18000
equity = 40000
[[rivals]]
label = "B"
base = 240000
"""


@pytest.fixture
def run(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TOKENS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TOKENS_TIME_ZONE", "Europe/Berlin")
    (tmp_path / "offer.toml").write_text(FILE, "utf-8")

    def invoke(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


def test_an_offer_is_printed_and_kept_once(run: Run) -> None:
    """The table, the result and the arithmetic; the same file makes one record a day."""
    printed = run("offer", "--from", "offer.toml").stdout
    assert "All of it, as cash" in printed
    assert "Offer 17 comes to more than B only if AI use is worth more than 5.1 %" in printed
    again = json.loads(run("offer", "--from", "offer.toml", "--json").stdout)
    listed = json.loads(run("offers", "list", "--json").stdout)
    assert [one["id"] for one in listed] == [again["id"]]
    assert (listed[0]["label"], listed[0]["others"]) == ("Offer 17", 1)


def test_programs_read_amounts_as_texts(run: Run) -> None:
    """USD with nine decimals, and the break-even as a share of what is issued."""
    told = json.loads(run("offer", "--from", "offer.toml", "--json").stdout)
    assert told["offer"]["at_cost_usd"] == "283000.000000000"
    assert told["offer"]["as_cash"]["low_usd"] == "238000.000000000"
    assert (told["others"][0]["better"], told["others"][0]["share"]) == ("above", "0.050711")


def test_a_dry_run_keeps_nothing(run: Run) -> None:
    """It prints the same."""
    assert "242,437" in run("offer", "--from", "offer.toml", "--dry-run").stdout
    assert json.loads(run("offers", "list", "--json").stdout) == []


def test_the_page_is_a_file(run: Run, tmp_path: Path) -> None:
    """In a language that comes with the bot, or in words of one's own; what those lack is refused."""
    (tmp_path / "offer.toml").write_text(f'language = "de"{FILE}', "utf-8")
    run("offer", "--from", "offer.toml", "--html", "page.html")
    assert "Grundgehalt" in (tmp_path / "page.html").read_text("utf-8")
    (tmp_path / "words.toml").write_text('base = "Salaire"', "utf-8")
    refused = run("offer", "--from", "offer.toml", "--words", "words.toml", code=1)
    assert "bonus: missing" in refused.stderr


def test_mistakes_of_the_file_are_refused(run: Run, tmp_path: Path) -> None:
    """With exit code 1, and nothing kept."""
    (tmp_path / "offer.toml").write_text('label = "x"\n', "utf-8")
    assert "Say the base salary, or choose a pay band." in run("offer", "--from", "offer.toml", code=1).stderr
    assert run("offers", "list").stdout.count("\n") == 1


def test_a_listing_is_printed_in_each_form(run: Run) -> None:
    """Text, Markdown, HTML and JSON-LD, in each language; what there is not is refused or wrong usage."""
    assert "up to a monthly allowance of tokens" in run("listing", "--level", "senior").stdout
    assert run("listing", "--format", "markdown", "--lang", "de").stdout.startswith("## KI-Budget")
    assert run("listing", "--format", "html").stdout.startswith('<section lang="en">')
    assert json.loads(run("listing", "--format", "json-ld").stdout)["@type"] == "JobPosting"
    assert "expected one of junior" in run("listing", "--level", "guru", code=1).stderr
    assert "no midpoint is set" in run("listing", "--band", "P9", code=1).stderr
    assert "There are no words in 'fr'" in run("listing", "--lang", "fr", code=1).stderr
    run("listing", "--format", "pdf", code=2)
