"""`tokens-bot invoices`, as finance calls it: tried first, then imported, then looked at."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from bot.cli import main
from store.tables.invoices import bills
from store.tables.usage import usage_events
from tests.support import bills as trial
from tests.support import books
from tests.support.bills import AZURE, CLAUDE, GPU, Row, user
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from programme.app import App

Run = Callable[..., "Result"]
ROWS = [
    Row("10.004", tags=user(ADA)),
    Row("2.004", tags=user("arn:role/x")),
    Row("3.004", AZURE, tags={"project": "zeus"}),
    Row("30.00", AZURE),
    Row("5.00", GPU),
    Row("99.00", CLAUDE),
    Row("0.50", "Amazon EC2"),
]


@pytest.fixture
def run(sqlite_app: App, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TOKENS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TOKENS_TIME_ZONE", "Europe/Berlin")
    monkeypatch.chdir(tmp_path)
    trial.rule(sqlite_app)
    (tmp_path / "october.csv").write_bytes(trial.written(ROWS))
    return lambda *words: CliRunner().invoke(main, list(words))


def test_tried_imported_and_shown(run: Run, sqlite_app: App) -> None:
    """A dry run says what would become of the bill and changes nothing; its parts add up to its total in cents."""
    tried = run("invoices", "import", "october.csv", "--dry-run")
    assert (tried.exit_code, books.count(sqlite_app, bills)) == (0, 0)
    parts = """\
1234567890, 2026-10: USD 149.51 in 7 rows; taken in.
  USD           12.01  used by people
  USD            3.00  used for projects
  USD           30.00  shared evenly
  USD            5.00  paid by the company
  USD           99.00  kept beside what gateways report
  USD            0.50  outside of the programme
"""
    assert parts in tried.output
    assert "1 x no person is known for user 'arn:role/x'" in tried.output
    assert tried.output.endswith("7 read, 6 accepted, 0 duplicate, 0 conflict, 1 quarantined, 0 rejected\n")
    assert books.count(sqlite_app, usage_events) == 0
    done = run("invoices", "import", "october.csv")
    assert (done.exit_code, parts in done.output) == (0, True)
    assert "USD 2.00 of it waits in quarantine, in 1 line of usage (`tokens-bot quarantine list`)." in done.output
    assert done.output.endswith("7 read, 6 accepted, 0 duplicate, 0 conflict, 1 quarantined, 0 rejected\n")
    [listed] = json.loads(run("invoices", "list", "--month", "2026-10", "--json").output)
    assert (listed["billed_usd"], listed["waiting_usd"], listed["is_posted"]) == ("149.512000000", "2.004000000", True)
    shown = json.loads(run("invoices", "show", str(listed["id"]), "--json").output)
    assert shown["bearers"] == {"evenly": 6, "to the company": 1}
    assert {one["service"]: one["usd"] for one in shown["services"]}["Amazon EC2"] == "0.500000000"
    assert "Amazon EC2" in run("invoices", "show", str(listed["id"])).output
    assert "october.csv" in run("invoices", "list").output
    assert run("verify").exit_code == 0
    [noted] = books.audited(sqlite_app, "invoices.import")
    assert (noted["subject"], noted["after"]["rows"]) == ("1234567890 2026-10", 7)


def test_a_bill_is_usage_as_well(run: Run, sqlite_app: App) -> None:
    """`usage import --format focus` does the same, with the same counts as every import of usage."""
    done = run("usage", "import", "october.csv", "--format", "focus", "--json")
    counts = {"read": 7, "accepted": 6, "duplicate": 0, "conflict": 0, "quarantined": 1, "rejected": 0}
    said = json.loads(done.stdout)
    assert {name: said[name] for name in counts} == counts
    [bill] = said["bills"]
    assert (bill["account"], bill["period"], bill["billed_usd"]) == ("1234567890", "2026-10-01", "149.512000000")
    assert bill["usage"] == {"accepted": 2, "quarantined": 1}
    again = json.loads(run("usage", "import", "october.csv", "--format", "focus", "--json").stdout)
    assert (again["accepted"], again["duplicate"]) == (0, 7)
    assert run("usage", "import", "october.csv", "--format", "focus", "--skip-bad-lines").exit_code == 2
    assert books.rows(sqlite_app, sa.select(sa.func.count()).select_from(usage_events)) == [(3,)]


def test_a_later_file_says_what_it_changes(run: Run, tmp_path: Path) -> None:
    """Its difference, how many lines are added, changed and gone; one that was issued earlier changes nothing."""
    assert run("invoices", "import", "october.csv", "--issued", "2026-11-03T08:00:00Z").exit_code == 0
    later = [ROWS[0]._replace(cost="12.004"), *ROWS[2:], Row("1.00", tags=user(BEN))]
    (tmp_path / "corrected.csv").write_bytes(trial.written(later))
    early = run("invoices", "import", "corrected.csv", "--issued", "2026-11-01T08:00:00Z")
    assert "a file that was issued later stands." in early.output
    tried = run("invoices", "import", "corrected.csv", "--issued", "2026-11-09T08:00:00Z", "--dry-run")
    said = "USD +1.00 against october.csv: 1 line added, 1 changed, 1 gone"
    assert said in tried.output
    assert said in run("invoices", "import", "corrected.csv", "--issued", "2026-11-09T08:00:00Z").output
    assert "it stands so already." in run("invoices", "import", "corrected.csv").output


def test_refusals_have_their_exit_codes(run: Run, tmp_path: Path) -> None:
    """Mistakes are all told, a part is not the whole, an unknown bill is none: 1; wrong usage: 2."""
    (tmp_path / "bad.csv").write_bytes(trial.written([Row("x"), Row("1", currency="€")]))
    bad = run("invoices", "import", "bad.csv")
    assert (bad.exit_code, bad.output.count("line ")) == (1, 2)
    assert run("invoices", "import", "october.csv").exit_code == 0
    (tmp_path / "part.csv").write_bytes(trial.written(ROWS[:1]))
    part = run("invoices", "import", "part.csv")
    assert (part.exit_code, "--whole" in part.output) == (1, True)
    assert run("invoices", "import", "part.csv", "--whole").exit_code == 0
    assert run("invoices", "show", "99").exit_code == 1
    assert run("invoices", "import").exit_code == 2
    assert run("invoices", "import", "october.csv", "--issued", "yesterday").exit_code == 2
