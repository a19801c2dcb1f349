"""`tokens-bot exceptions`: the queue for administrators, and requests as CSV for the quarterly review."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bot.cli import main
from tests.support import requests as asking
from tests.support.books import ADA, BEN
from tests.support.requests import TESS, convene

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from programme.app import App

    Run = Callable[..., Result]


@pytest.fixture
def office(sqlite_app: App) -> App:
    return convene(sqlite_app)


@pytest.fixture
def run(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TOKENS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TOKENS_TIME_ZONE", "Europe/Berlin")
    return lambda *words: CliRunner().invoke(main, ["exceptions", *words])


def test_what_waits_is_listed_by_its_deadline(run: Run, office: App) -> None:
    """Without anything, with requests that are open, and with all of them; the same for programs."""
    assert "Nothing is waiting for the board." in run("list").stdout
    assert "No one has asked for tokens." in run("list", "--all").stdout
    asking.vote(office, TESS, asking.ask(office, BEN, "500"))
    late, soon = asking.ask(office, BEN, "150000"), asking.ask(office, ADA, "700")
    lines = run("list").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [soon.id, late.id]
    assert len(run("list", "--all").stdout.splitlines()) == 4
    [first, _] = json.loads(run("list", "--json").stdout)
    assert (first["id"], first["amount_tokens"], first["amount_usd"]) == (soon.id, "700.000000", "7.000000000")
    assert (first["approvals"], first["needed"], first["requester"]) == (0, 1, "Ada Lovelace")


def test_requests_are_exported_as_csv(run: Run, office: App) -> None:
    """Those that were made between two days, with what was granted; no text becomes a formula in a spreadsheet."""
    decided = asking.vote(office, TESS, asking.ask(office, BEN, "5000"), tokens="4000").request
    asking.let_time_pass(office, days=2)
    asking.ask(office, ADA, "100", incident="=HYPERLINK(1)")
    result = run("export")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert "2 requests." in result.stderr
    assert [row["state"] for row in rows] == ["approved", "credited"]
    assert (rows[0]["id"], rows[0]["granted_tokens"], rows[0]["left_tokens"]) == (
        decided.id,
        "4000.000000",
        "4000.000000",
    )
    assert (rows[0]["decided_by"], rows[0]["netted_tokens"]) == ("Tess Novak", "")
    assert rows[1]["incident"] == "'=HYPERLINK(1)"
    for words, count in ((("--from", "2026-11-21"), 1), (("--until", "2026-11-20"), 1), (("--until", "2026-11-19"), 0)):
        assert len(list(csv.DictReader(io.StringIO(run("export", *words).stdout)))) == count


def test_a_file_is_written_where_it_is_wanted(run: Run, office: App, tmp_path_factory: pytest.TempPathFactory) -> None:
    """`--out` names it."""
    asking.ask(office, BEN, "5000")
    path = tmp_path_factory.mktemp("export") / "q4.csv"
    assert run("export", "--out", str(path)).exit_code == 0
    assert len(path.read_text("utf-8").splitlines()) == 2
