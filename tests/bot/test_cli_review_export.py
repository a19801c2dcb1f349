"""`export review` and `people opt-out`: what the compensation review gets, who may take it, and who is left out."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from functools import partial
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bot import wiring
from bot.cli import main
from programme.reviews.annual_export import Line
from programme.reviews.year_summary import YearLine
from tests.support import appealed, books, cast
from tests.support.reviewed import BUSY, IDLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from programme.app import App
    from tests.support.clock import Clock

    Run = Callable[..., Result]

OMAR = "omar@example.com"
EXPORT = ("export", "review", "--year", "2026", "--by", OMAR)


@pytest.fixture
def run(sqlite_url: str, sqlite_app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`tokens-bot …` in a company whose review is adopted, with an appeal that is open."""
    appealed.settle(sqlite_app, clock)
    with sqlite_app.transaction() as moment:
        appealed.adopt(moment)
        appealed.file(moment)
    monkeypatch.setattr("bot.wiring.open_app", partial(wiring.open_app, clock=clock))

    def invoke(*arguments: str, code: int = 0) -> Result:
        env: dict[str, str | None] = {"TOKENS_DATABASE_URL": sqlite_url, "TOKENS_TIME_ZONE": "Europe/Berlin"}
        result = CliRunner().invoke(main, arguments, env=env)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


def rows(text: str) -> dict[str, dict[str, str]]:
    """The lines of an export by person id."""
    return {row["person_id"]: row for row in csv.DictReader(io.StringIO(text))}


def test_each_case_is_a_line(run: Run, sqlite_app: App, tmp_path: Path) -> None:
    """Headed by the names of the columns, without a name or an e-mail in it; to a file the same, and both on record."""
    exported = run(*EXPORT)
    header = exported.stdout.partition("\n")[0].split(",")
    assert header == [field.name for field in dataclasses.fields(Line)]
    told = rows(exported.stdout)
    idle = told[cast.person_id(sqlite_app, IDLE)]
    assert (idle["quarter"], idle["state"], idle["appeal"], idle["stewardship_met"]) == (
        "2026-Q4",
        "low",
        "open",
        "False",
    )
    assert "@" not in exported.stdout
    assert exported.stderr == f"{len(told)} lines; 0 people opted out.\n"
    path = tmp_path / "review.csv"
    run(*EXPORT, "--out", str(path))
    assert path.read_text() == exported.stdout
    taken = books.audited(sqlite_app, "review.export")
    assert [one["actor"] for one in taken] == [cast.person_id(sqlite_app, OMAR)] * 2


def test_who_may_not_take_it_gets_nothing(run: Run, sqlite_app: App, tmp_path: Path) -> None:
    """Exit 1 and no file for whoever is not of finance or not known, exit 2 for what is no year; nothing on record."""
    path = tmp_path / "review.csv"
    refused = run(*EXPORT[:-1], "iris@example.com", "--out", str(path), code=1)
    assert "Only finance may export reviews" in refused.stderr
    assert not path.exists()
    assert "nobody@example.com" in run(*EXPORT[:-1], "nobody@example.com", code=1).stderr
    run("export", "review", "--year", "26", "--by", OMAR, code=2)
    run("export", "review", "--year", "2026", code=2)
    assert books.audited(sqlite_app, "review.export") == []


def test_another_year_has_a_heading_only(run: Run) -> None:
    """What was not adopted in it is not told."""
    exported = run("export", "review", "--year", "2027", "--by", OMAR)
    assert exported.stdout.count("\n") == 1
    assert exported.stderr.startswith("0 lines")


def test_people_are_left_out_and_come_back(run: Run, sqlite_app: App) -> None:
    """Said once, said again, and taken back: each time the answer says what holds, and the export follows."""
    everybody = rows(run(*EXPORT).stdout)
    assert run("people", "opt-out", BUSY).stdout == f"{BUSY} is left out of exports of reviews from now on.\n"
    assert run("people", "opt-out", BUSY).stdout == f"{BUSY} is left out of exports of reviews already.\n"
    without = run(*EXPORT)
    assert rows(without.stdout).keys() == everybody.keys() - {cast.person_id(sqlite_app, BUSY)}
    assert without.stderr.endswith("1 person opted out.\n")
    assert run("people", "opt-out", BUSY, "--back").stdout == f"{BUSY} is in exports of reviews from now on.\n"
    assert run("people", "opt-out", BUSY, "--back").stdout == f"{BUSY} is in exports of reviews already.\n"
    assert rows(run(*EXPORT).stdout) == everybody
    assert "nobody@example.com" in run("people", "opt-out", "nobody@example.com", code=1).stderr
    assert len(books.audited(sqlite_app, "review.opt_out")) == 1


def test_a_year_is_one_line_a_person(run: Run) -> None:
    """With `--summary` the columns are those of the year, for as many people, and the audit log has the export."""
    quarters = list(csv.DictReader(io.StringIO(run(*EXPORT).stdout)))
    years = list(csv.DictReader(io.StringIO(run(*EXPORT, "--summary").stdout)))
    assert list(years[0]) == [field.name for field in dataclasses.fields(YearLine)]
    assert [one["person_id"] for one in years] == sorted({one["person_id"] for one in quarters})
    assert {one["quarters"] for one in years} == {"1"}


def test_a_dry_run_counts_who_would_be_eligible(run: Run, sqlite_app: App) -> None:
    """By level and team, never of a group of fewer than five, and nothing of it is an export on record."""
    told = rows(run(*EXPORT).stdout)
    met = sum(row["stewardship_met"] == "True" for row in told.values())
    before = len(books.audited(sqlite_app, "review.export"))
    shown = run(*EXPORT, "--dry-run").stdout
    assert shown.startswith(f"{met} of {len(told)} people would be eligible by the reviews of 2026.")
    counted = json.loads(run(*EXPORT, "--dry-run", "--json").stdout)
    groups = [*counted["levels"], *counted["teams"]]
    assert groups
    assert all(one["people"] >= 5 and one["eligible"] <= one["people"] for one in groups)
    for name in ("level", "team"):
        told_of = sum(one["people"] for one in counted[f"{name}s"])
        assert told_of + counted[f"not_told_by_{name}"] == len(told)
        assert counted[f"not_told_by_{name}"] not in range(1, 5)
    assert not any(person_id in shown for person_id in told)
    assert len(books.audited(sqlite_app, "review.export")) == before


def test_only_finance_sees_how_many(run: Run) -> None:
    """The same role as for the export; without adopted reviews there is nothing to count."""
    assert (
        "does not have the role" in run("export", "review", "--year", "2026", "--by", IDLE, "--dry-run", code=1).stderr
    )
    assert (
        "0 people have adopted reviews"
        in run("export", "review", "--year", "2024", "--by", OMAR, "--dry-run", code=1).stderr
    )
