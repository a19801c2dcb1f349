"""`tokens-bot outcomes`: importing, what waits, and the figures of the weeks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.bot.test_cli import run
from tests.support import outcomes as work
from tests.support.books import ADA

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bot.test_cli import Run

__all__ = ["run"]

HEADER = "source,outcome_id,kind,occurred_at,user,project,state,lines,weight,metric,score,updated_at"
SHOP_1 = f"jira,SHOP-1,bug,2026-10-07T09:30:00Z,{ADA},shop,,,,,,"
SHOP_2 = "jira,SHOP-2,task,2026-10-08T09:30:00Z,ada-jira,shop,,,2.5,,,"
RATING = "sonarqube,m1,quality,2026-10-08T09:30:00Z,,shop,,,,reliability_rating,1.0,"
PERIOD = ("--from", "2026-10-01", "--until", "2026-10-31")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "outcomes.csv"
    write(path, SHOP_1, SHOP_2, RATING)
    return path


def write(path: Path, *lines: str) -> None:
    path.write_text("\n".join((HEADER, *lines)) + "\n", "utf-8-sig")


def test_a_file_is_imported_once(run: Run, file: Path) -> None:
    """The summary counts what became of each line; the same file again adds nothing, a changed line is a correction."""
    first = json.loads(run("outcomes", "import", str(file), "--json").stdout)
    assert first == {"read": 3, "accepted": 2, "corrected": 0, "duplicate": 0, "waiting": 1}
    assert run("outcomes", "import", str(file)).stdout == ("3 read, 0 accepted, 0 corrected, 3 duplicate, 0 waiting\n")
    write(file, SHOP_1.replace(",,,,,,", ",reopened,,,,,"))
    assert run("outcomes", "import", str(file)).stdout == "1 read, 0 accepted, 1 corrected, 0 duplicate, 0 waiting\n"


def test_what_waits_is_shown_and_attributed(run: Run, file: Path) -> None:
    """A tracker's name waits until it is someone's; the list then shows the team, and no name at all."""
    run("outcomes", "import", str(file))
    waiting = json.loads(run("outcomes", "list", "--waiting", "--json").stdout)
    assert waiting["waiting"] == 1
    assert [(one["outcome_id"], one["user"]) for one in waiting["outcomes"]] == [("SHOP-2", "ada-jira")]
    assert run("outcomes", "attribute").stdout == "0 attributed, 1 still waiting.\n"
    run("identities", "add", ADA, "ada-jira", "--kind", "user", "--source", "jira")
    assert json.loads(run("outcomes", "attribute", "--json").stdout) == {
        "attributed": 1,
        "waiting": 0,
        "dry_run": False,
    }
    assert run("outcomes", "list", "--waiting").stdout == "0 waiting.\n"
    listed = run("outcomes", "list").stdout
    assert "ada" not in listed
    assert [one["of"] for one in json.loads(run("outcomes", "list", "--json").stdout)["outcomes"]] == [
        "",
        "mara@example.com",
        "mara@example.com",
    ]
    found = json.loads(run("outcomes", "weekly", *PERIOD, "--json").stdout)
    assert [(row["week"], row["unit"], row["of"], row["kind"], row["output"]) for row in found] == [
        ("2026-W41", "team", "mara@example.com", "bug", "1.000"),
        ("2026-W41", "team", "mara@example.com", "task", "2.500"),
    ]
    assert "2026-W41  team  mara@example.com  task   2.500" in run("outcomes", "weekly", *PERIOD).stdout


def test_a_bad_line_stops_the_file(run: Run, file: Path) -> None:
    """Every bad line is told with its number, and of the good ones nothing is imported."""
    write(file, SHOP_1, SHOP_2.replace("2.5", "many"), SHOP_1.replace("bug", "bugs"))
    said = run("outcomes", "import", str(file), code=1).stderr
    assert "Nothing was imported:" in said
    assert "line 3: weight: expected a number" in said
    assert "line 4: kind: expected one of pull_request, bug, task, quality" in said
    assert json.loads(run("outcomes", "list", "--json").stdout) == {"waiting": 0, "outcomes": []}
    file.write_bytes("source,outcome_id\nö".encode("utf-16"))
    assert "is UTF-16" in run("outcomes", "import", str(file), code=1).stderr


@pytest.mark.parametrize(
    ("column", "line"),
    [
        ("occurred_at", SHOP_1.replace("2026-10-07", "2099-10-07")),
        ("updated_at", f"{SHOP_1}2099-10-07T09:30:00Z"),
    ],
)
def test_what_is_ahead_of_the_clock_stops_the_file(run: Run, file: Path, column: str, line: str) -> None:
    """A slip of the pen in a year would count some day, and no later version would ever hold."""
    write(file, SHOP_2, line)
    said = run("outcomes", "import", str(file), code=1).stderr
    assert f"'SHOP-1' of jira: {column}: expected at most 15 minutes ahead of the bot's clock" in said
    assert json.loads(run("outcomes", "list", "--json").stdout) == {"waiting": 0, "outcomes": []}


def test_a_repositorys_history_is_imported_once(run: Run, tmp_path: Path) -> None:
    """What the REST API returned is known by its name and taken in as deliveries are; again, it changes nothing."""
    history = [work.pull_request(n, by="ada")["pull_request"] for n in (1, 2)]
    path = tmp_path / "history.json"
    path.write_text("\n".join(map(json.dumps, [*history, history[0] | {"merged_at": None}])), "utf-8")
    run("identities", "add", ADA, "ada", "--kind", "user", "--source", "github")
    command = ("outcomes", "import", str(path))
    first = json.loads(run(*command, "--json").stdout)
    assert first == {"read": 3, "accepted": 2, "corrected": 0, "duplicate": 0, "waiting": 0, "ignored": 1}
    said = run(*command, "--format", "github", "--default-branch", "master").stdout
    assert said == "3 read, 0 accepted, 0 corrected, 2 duplicate, 0 waiting, 1 ignored\n"
    path.write_text("[1]", "utf-8")
    assert "line 1: an object: " in run(*command, code=1).stderr
