"""`tokens-bot caps`: what limits someone's calls, and whether one would run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bot.cli import main
from store.tables.holds import cap_sums, holds
from store.tables.outbox import outbox
from tests.support import books, cast, held
from tests.support.books import ADA

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from programme.app import App

    Run = Callable[..., Result]

MONTHLY = 'name = "Ada and all"\nscope = "person"\nwindow = "month"\nusd = 3\naction = "stop"'


@pytest.fixture
def run(sqlite_url: str, sqlite_app: App, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line of a company where Ada has 400 tokens, a dollar of which is held."""
    monkeypatch.setenv("TOKENS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TOKENS_TIME_ZONE", "Europe/Berlin")
    held.stop(sqlite_app, MONTHLY)
    cast.give(sqlite_app, ADA, "400")
    held.reserve(sqlite_app, "1")
    return lambda *words: CliRunner().invoke(main, list(words))


def test_caps_are_shown_with_what_is_left_of_each(run: Run) -> None:
    """The wallet first, then the caps of the handbook, as text and for programs."""
    shown = run("caps", "show", "--person", ADA)
    assert shown.exit_code == 0
    assert "balance 400 tokens, held 100" in shown.output
    said = json.loads(run("caps", "show", "--person", ADA, "--json").output)
    assert (said["available_tokens"], said["wallet_stops"]) == ("300.000000", True)
    assert {cap["name"] for cap in said["caps"]} == {"wallet", "Ada and all"}


def test_a_call_can_be_tried_without_holding_anything(run: Run, sqlite_app: App) -> None:
    """Exit code 1 and the sentence of the denial where it would be stopped; nobody is told."""
    sums = books.rows(sqlite_app, cap_sums)
    runs = run("caps", "try", "--person", ADA, "--service", "anthropic", "--usd", "1")
    assert (runs.exit_code, runs.output) == (0, "It would run, and hold USD 1.\n")
    stopped = run("caps", "try", "--person", ADA, "--service", "anthropic", "--usd", "99", "--json")
    said = json.loads(stopped.output)
    assert (stopped.exit_code, said["admitted"], said["code"]) == (1, False, "cap_reached")
    assert said["message"].startswith("Budget limit reached")
    assert books.count(sqlite_app, holds) == 1
    assert books.count(sqlite_app, outbox) == 0
    assert books.rows(sqlite_app, cap_sums) == sums


def test_what_cannot_be_tried_is_refused(run: Run) -> None:
    """An unknown person, a service that is not approved, an amount that is none."""
    assert "No one has the e-mail" in run("caps", "show", "--person", "x@example.com").output
    refused = run("caps", "try", "--person", ADA, "--service", "nothing", "--usd", "1")
    assert (refused.exit_code, "not approved" in refused.output) == (1, True)
    assert run("caps", "try", "--person", ADA, "--service", "anthropic", "--usd", "much").exit_code == 2


def test_the_balance_says_what_is_held(run: Run) -> None:
    """One line, only when something is."""
    assert "of which 100 are held by 1 running call" in run("balance", ADA).output
    said = json.loads(run("balance", ADA, "--json").output)
    assert (said["balance_tokens"], said["held_tokens"], said["available_tokens"]) == (
        "400.000000",
        "100.000000",
        "300.000000",
    )
    assert "held" not in run("balance", books.BEN).output
