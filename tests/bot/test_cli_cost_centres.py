"""`tokens-bot cost-centres` and `export chargeback`: who owns what, and what it bears of a month."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bot import doctor
from bot.cli import main
from tests.support import books, cast, charged, offices
from tests.support.offices import FEW, PLATFORM, RESEARCH

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from programme.app import App

    Run = Callable[..., Result]

MONTH = ("--month", "2026-11")


@pytest.fixture
def run(sqlite_url: str, sqlite_app: App, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TOKENS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TOKENS_TIME_ZONE", "Europe/Berlin")
    offices.settle(sqlite_app)
    offices.work(sqlite_app, rounds=3)
    return lambda *words: CliRunner().invoke(main, list(words))


def imported(run: Run, folder: Path, text: str) -> Result:
    (folder / "centres.csv").write_text(text, "utf-8")
    return run("cost-centres", "import", str(folder / "centres.csv"))


def owners(run: Run) -> dict[str, str]:
    listed = json.loads(run("cost-centres", "list", "--json").output)
    return {one["cost_centre"]: one["owner_email"] for one in listed}


def test_owners_come_from_a_file(run: Run, tmp_path: Path, sqlite_app: App) -> None:
    """Without their column they stay, an empty cell is for nobody, and one bad line refuses all."""
    named = f"cost_centre,name,owner_email\nCC-10,Platform,{PLATFORM[0].upper()}\nCC-20,Research,\n"
    assert imported(run, tmp_path, named).output == "2 named.\n"
    assert owners(run) == {"CC-10": PLATFORM[0], "CC-20": "", "CC-30": ""}
    imported(run, tmp_path, "cost_centre,name\nCC-10,Foundations\n")
    assert owners(run)["CC-10"] == PLATFORM[0]
    refused = imported(run, tmp_path, "cost_centre,name,owner_email\nCC-10,P,nobody@example.com\nCC-20,,\n")
    assert refused.exit_code == 1
    assert "line 2: owner_email = 'nobody@example.com': expected the e-mail of someone" in refused.output
    assert "line 3: name is empty" in refused.output
    imported(run, tmp_path, "cost_centre,name,owner_email\nCC-10,Foundations,\n")
    assert owners(run)["CC-10"] == ""
    noted = books.audited(sqlite_app, "cost_centres.import")
    assert [len(one["after"]["owners"]) for one in noted] == [0, 1, 1, 0]


def test_a_statement_is_shown_as_its_owner_is_told_it(run: Run) -> None:
    """With --json amounts are texts; what too few people used is not shown, and what bears nothing is refused."""
    shown = run("cost-centres", "statement", "CC-10", *MONTH).output
    assert shown.startswith("Platform, 2026-11: USD 8.49, by 6 people.\n")
    assert "GPU cluster" in shown
    told = json.loads(run("cost-centres", "statement", "CC-10", *MONTH, "--json").output)
    assert sum(Decimal(one["spent_usd"]) for one in told["services"]) == Decimal(told["spent_usd"])
    hidden = run("cost-centres", "statement", "CC-30", *MONTH).output
    assert hidden == "Few, 2026-11: not shown, because too few people used something for it.\n"
    refused = run("cost-centres", "statement", "CC-99", *MONTH)
    assert (refused.exit_code, "'CC-99' bears nothing of 2026-11." in refused.output) == (1, True)


def test_the_export_has_every_cost_centre(run: Run, sqlite_app: App) -> None:
    """Total, services, projects and kinds of each, small ones together; JSON says the same, and it is on record."""
    charged.name_owners(sqlite_app)
    written = run("export", "chargeback", *MONTH)
    rows = list(csv.DictReader(io.StringIO(written.stdout)))
    totals = {row["cost_centre"]: row for row in rows if row["by"] == "total"}
    assert totals.keys() == {"", "CC-10", "CC-20", "CC-30", "other"}
    assert totals["CC-20"]["owner_email"] == RESEARCH[0]
    assert (totals["CC-30"]["usd"], totals["CC-30"]["not_told"]) == ("", "few_people")
    for by in ("service", "project", "kind"):
        parts = [Decimal(row["usd"]) for row in rows if row["by"] == by and row["cost_centre"] == "CC-20"]
        assert sum(parts) == Decimal(totals["CC-20"]["usd"])
    listed = json.loads(run("export", "chargeback", *MONTH, "--json").stdout)
    assert [{name: str(value or "") for name, value in row.items()} for row in listed] == rows
    assert {one["after"]["lines"] for one in books.audited(sqlite_app, "chargeback.export")} == {len(rows)}
    assert run("export", "chargeback", "--month", "2100-01").exit_code == 1


def test_an_owner_who_left_is_found(sqlite_app: App) -> None:
    """Otherwise no one would notice that nobody is told any more."""
    offices.settle(sqlite_app)
    charged.name_owners(sqlite_app)
    assert list(doctor._cost_centres(sqlite_app)) == []
    cast.hire(sqlite_app, f"email,left_on\n{FEW[0]},2026-11-01\n")
    [finding] = doctor._cost_centres(sqlite_app)
    assert finding.level == "warning"
    assert "CC-30" in finding.what
