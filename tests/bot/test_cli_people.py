"""People by name on the command line: looked up, merged, handed out and erased, each told before it is done."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bot.cli import main, people_privacy
from tests.support import books, cast
from tests.support.books import ADA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from programme.app import App

    Run = Callable[..., Result]

HEADER = "email,name,slack_user_id,level,role_family,time_zone,hired_on,left_on\n"
TWIN = "ada.king@example.com"


@pytest.fixture
def run(sqlite_url: str) -> Run:
    def invoke(*arguments: str, code: int = 0) -> Result:
        env: dict[str, str | None] = {"TOKENS_DATABASE_URL": sqlite_url, "TOKENS_TIME_ZONE": "Europe/Berlin"}
        result = CliRunner().invoke(main, arguments, env=env)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


def test_people_are_listed_and_shown(run: Run, sqlite_app: App) -> None:
    """By e-mail or id, with what is held about them; a list can be narrowed."""
    cast.hire(sqlite_app, f"{HEADER}gone@example.com,Gone,,mid,sales,UTC,2020-01-01,2021-01-01\n")
    listed = json.loads(run("people", "list", "--json").stdout)
    assert len(listed) == 7
    here = run("people", "list", "--here", "--unlinked").stdout
    assert "gone@example.com" not in here
    ada = cast.person_id(sqlite_app, ADA)
    shown = json.loads(run("people", "show", ada, "--json").stdout)
    assert (shown["record"]["email"], shown["rows"]["people"]) == (ADA, 1)
    assert "Ada Lovelace" in run("people", "show", ADA).stdout
    assert "No one has the e-mail 'nobody'" in run("people", "show", "nobody", code=1).stderr


def test_merging_says_first_what_it_will_do(run: Run, sqlite_app: App) -> None:
    """A dry run tells what would come over and changes nothing; done, it is on record."""
    cast.hire(sqlite_app, f"{HEADER}{TWIN},Ada King,,staff,engineering,UTC,2021-03-01,\n")
    cast.give(sqlite_app, TWIN, "40")
    told = run("people", "merge", TWIN, ADA, "--dry-run").stdout
    assert told.startswith("Nothing was changed. It would be:")
    assert "40 tokens" in told
    assert int(books.wallet(sqlite_app, ADA)) == 0
    done = json.loads(run("people", "merge", TWIN, ADA, "--json").stdout)
    assert done["tokens"] == "40.000000"
    assert books.audited(sqlite_app, "people.merge")


def test_a_leaver_is_handed_out_and_erased(run: Run, sqlite_app: App, tmp_path: Path) -> None:
    """Everything comes as text and as a private file; what stays after erasing is told with its reason."""
    cast.hire(sqlite_app, f"{HEADER}gone@example.com,Gone By,,mid,sales,UTC,2020-01-01,2021-01-01\n")
    gone = cast.person_id(sqlite_app, "gone@example.com")
    path = tmp_path / "gone.json"
    assert "Gone By" in run("people", "export", "gone@example.com", "--json", str(path)).stdout
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text("utf-8"))["tables"]["people"][0]["name"] == "Gone By"
    assert "Nothing was changed" in run("people", "erase", "gone@example.com", "--dry-run").stdout
    told = run("people", "erase", "gone@example.com").stdout
    assert "audit_log" in told
    assert "Art. 17(3)(e)" in told
    assert "Gone By" not in run("people", "show", gone).stdout
    assert "still here" in run("people", "erase", ADA, code=1).stderr


def test_what_is_handed_out_has_amounts_as_people_write_them(run: Run, sqlite_app: App, tmp_path: Path) -> None:
    """Tokens and USD with their unit in the text; in the file all of the stored digits."""
    cast.give(sqlite_app, ADA, "1234.5")
    path = tmp_path / "ada.json"
    told = run("people", "export", ADA, "--json", str(path)).stdout
    assert "balance = 1,234.5" in told
    assert "remaining = 1,234.5" in told
    assert "1234500000" not in told
    assert json.loads(path.read_text("utf-8"))["tables"]["lots"][0]["remaining"] == 1_234_500_000
    said = people_privacy.readable({"usage_events": [{"cost_nano_usd": 5_400_000, "debit_micro_tokens": 540_000}]})
    assert "  cost_usd = 0.0054, debit_tokens = 0.54" in list(said)


def test_what_is_over_is_told_before_it_goes(run: Run, sqlite_app: App) -> None:
    """A dry run counts by kind and table and names who would be erased; done, it is on record and nothing is left."""
    cast.hire(sqlite_app, f"{HEADER}gone@example.com,Gone By,,mid,sales,UTC,2010-01-01,2011-01-01\n")
    told = run("people", "retention", "--dry-run").stdout
    assert told.startswith("Nothing was changed. It would be: 1 row is gone.")
    assert "erased: gone@example.com" in told
    found = json.loads(run("people", "retention", "--dry-run", "--json").stdout)
    assert found["taken"] is None
    of_people = next(one for one in found["due"] if one["part"] == "people")
    assert (of_people["kind"], of_people["days"], of_people["people"]) == ("leavers", 1095, ["gone@example.com"])
    assert not books.audited(sqlite_app, "people.erase")
    assert json.loads(run("people", "retention", "--json").stdout)["taken"] == {"people": 1}
    assert run("people", "retention").stdout.startswith("0 rows are gone.")
    assert [row["after"] for row in books.audited(sqlite_app, "retention.run")] == [{"people": 1}]


def test_nothing_goes_where_the_handbook_keeps_everything(run: Run, sqlite_app: App) -> None:
    """The refusal says what to propose."""
    text = books.handbook_text("2026.2", date(2026, 1, 2))
    books.apply_text(sqlite_app, re.sub(r"(?m)^(\w+_days) = \d+$(?=[^\[]*# Approved)", r"\1 = 0", text))
    assert "keeps everything" in run("people", "retention", "--dry-run", code=1).stderr
