"""`tokens-bot roi`: the estimators on anybody's panel, and the programme's own report."""

from __future__ import annotations

import csv
import json
import re
from functools import partial
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bot import wiring
from bot.cli import main
from tests.policy.roi import panels
from tests.support import returned

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from programme.app import App
    from tests.support.clock import Clock

    Run = Callable[..., Result]

COLUMNS = ("--unit", "team", "--period", "month", "--first-treated", "joined", "--outcome", "output")
HEADER = "team,month,joined,output\n"


def estimate(path: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["roi", "estimate", "--panel", str(path), *COLUMNS, *more])


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "panel.csv"
    path.write_text(text)
    return path


def test_a_program_reads_the_estimate_as_json() -> None:
    """Every comparison, the mean, each event time and the check, as numbers."""
    result = estimate(panels.DATA / "panel-1.csv", "--control", "never", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    expected = panels.EXPECTED["panel-1 never"]["csdid"]
    assert {(one["group"], one["period"]): one["estimate"] for one in told["att"]} == pytest.approx(
        {(group, period): value for group, period, value in expected["att"]}, abs=1e-6
    )
    assert told["att"][0].keys() == {"group", "period", "estimate", "low", "high", "treated", "controls"}
    assert (told["att"][0]["treated"], told["att"][0]["controls"]) == (5, 7)
    assert told["mean"]["estimate"] == pytest.approx(expected["simple"], abs=1e-6)
    assert told["mean"]["low"] < told["mean"]["estimate"] < told["mean"]["high"]
    assert {one["event_time"]: one["estimate"] for one in told["event_time"]} == pytest.approx(
        dict(expected["dynamic_each"]), abs=1e-6
    )
    assert told["twfe"].keys() == {"estimate", "low", "high", "negative_share", "negative_weight"}
    assert told["inference"] == {"method": "bootstrap", "draws": 2_000, "exact": False, "level": 0.9}


def test_people_read_the_same_in_lines() -> None:
    """The effect with its interval first, then what to make of it."""
    result = estimate(panels.DATA / "panel-3.csv", "--by-lot")
    assert result.exit_code == 0, result.output
    assert "+0.4750 (-0.03" in result.output.splitlines()[0]
    assert "too few units for a percentage in a headline" not in estimate(panels.DATA / "panel-1.csv").output
    assert "9, 7 of them treated, against those not yet treated" in result.output
    assert "could have found" in result.output


def test_columns_have_their_own_names_and_others_are_passed_over(tmp_path: Path) -> None:
    """A published data set is read as it is: other columns, years, 0 for never, decimals in years."""
    lines = [
        "",
        *(
            f"{c},{y},9,{'2005.0' if c in '12' else '0'},{float(c) + (c in '12' and y > 2004)}"
            for c in "1234"
            for y in (2003, 2004, 2005)
        ),
    ]
    path = written(tmp_path, "county,year,lpop,first.treat,lemp" + "\n".join(lines) + "\n")
    columns = ("--unit", "county", "--period", "year", "--first-treated", "first.treat", "--outcome", "lemp", "--json")
    result = CliRunner().invoke(main, ["roi", "estimate", "--panel", str(path), *columns])
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert told["mean"]["estimate"] == pytest.approx(1.0)
    assert told["att"][1]["period"] == 2005


@pytest.mark.parametrize(
    "periods",
    [
        ("2026-11", "2026-12", "2027-01"),
        ("2026-Q3", "2026-Q4", "2027-Q1"),
        ("2026-12-21", "2026-12-28", "2027-01-04"),
    ],
)
def test_periods_keep_their_names(tmp_path: Path, periods: tuple[str, str, str]) -> None:
    """Periods go in and come out in the same words, over the turn of the year as well."""
    before, base, treated = periods
    lines = [
        f"{team},{month},{treated if team == 'a' else 'never'},{1 + (team == 'a' and month == treated)}"
        for team in "abc"
        for month in (before, base, treated)
    ]
    result = estimate(written(tmp_path, HEADER + "\n".join(lines)), "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert [(one["group"], one["period"], one["estimate"]) for one in told["att"]] == [
        (treated, before, 0),
        (treated, treated, 1),
    ]


def test_logarithms_make_effects_relative(tmp_path: Path) -> None:
    """Twice as much is ln 2, whatever a team's level; a zero has none and is named."""
    lines = [
        f"{team},{month},{3 if team < 'c' else ''},{level * (2 if team < 'c' and month == 3 else 1)}"
        for level, team in zip((1, 5, 10, 50), "abcd", strict=True)
        for month in (1, 2, 3)
    ]
    told = json.loads(estimate(written(tmp_path, HEADER + "\n".join(lines)), "--log", "--json").output)
    assert told["mean"]["estimate"] == pytest.approx(0.693147, abs=1e-6)
    refused = estimate(written(tmp_path, HEADER + "\n".join([*lines, "e,1,,0"])), "--log")
    assert refused.exit_code == 1
    assert "The lowest outcome is 0: logarithms need figures above 0." in refused.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,1,2,x", "line 2: output = 'x': expected a number"),
        ("a,1,2,1e999", "line 2: output = '1e999': expected a number"),
        ("a,soon,2,1", "line 2: month = 'soon': expected a whole number, a date such as 2026-11-30, a month such as"),
        ("a,1,soon,1", "line 2: joined = 'soon': expected a whole number"),
        (",1,2,1", "line 2: team = ''"),
        ("a,1,2,1\na,1,2,3", "line 3: team = 'a' has this period in line 2 already"),
        ("a,1,2,1\na,2,3,1", "line 3: joined: 'a' is first treated at another time in line 2"),
        ("a,1,2,1\nb,2026-11,,1", "line 3: month = '2026-11': expected a number like the others"),
        ("a,2026-02-30,,1", "line 2: month = '2026-02-30': expected a whole number"),
        ("a,1,2026-11,1", "line 2: joined = '2026-11': expected a period like the others"),
        ("a,1,2", "line 2: 4 cells expected, 3 found"),
        ("", "no line has a unit and a period"),
    ],
)
def test_a_bad_line_is_told_with_its_field_and_value(tmp_path: Path, text: str, said: str) -> None:
    """And refuses the whole: a panel with a hole that nobody chose says something else."""
    result = estimate(written(tmp_path, HEADER + text + "\n"))
    assert result.exit_code == 1
    assert said in result.output


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    """A slip in an option is seen at once."""
    result = estimate(written(tmp_path, "team,month,first,output\na,1,2,1\n"))
    assert result.exit_code == 1
    assert "no column 'joined'; the file has 'team', 'month', 'first', 'output'" in result.output


def test_all_bad_lines_are_told_at_once(tmp_path: Path) -> None:
    """Nobody corrects a file line by line."""
    result = estimate(written(tmp_path, HEADER + "a,1,2,x\nb,y,2,1\n"))
    assert "line 2: output" in result.output
    assert "line 3: month" in result.output


def test_who_was_left_out_is_told(tmp_path: Path) -> None:
    """With the reason: gaps, or treated from the first period on."""
    text = (
        (panels.DATA / "panel-1.csv").read_text()
        + "".join(f"early,{month},1,5\n" for month in range(1, 11))
        + "short,1,4,2\n"
    )
    result = estimate(written(tmp_path, text))
    assert "left out: early, treated from the first period on" in result.output
    assert "left out: short, without a figure in 9 periods" in result.output


# --- The programme's own report -------------------------------------------------------------------------------------


@pytest.fixture
def run(sqlite_url: str, sqlite_app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`tokens-bot …` in a company whose teams do 30 % more once they take part."""
    returned.settle(sqlite_app, clock)
    monkeypatch.setattr("bot.wiring.open_app", partial(wiring.open_app, clock=clock))

    def invoke(*arguments: str, code: int = 0) -> Result:
        env: dict[str, str | None] = {"TOKENS_DATABASE_URL": sqlite_url, "TOKENS_TIME_ZONE": "Europe/Berlin"}
        result = CliRunner().invoke(main, arguments, env=env)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result

    return invoke


def test_a_report_is_looked_at_and_then_frozen(run: Run) -> None:
    """A dry run keeps nothing; the report is the same the second time, under the same digest."""
    looked = run("roi", "report", "--dry-run").stdout.splitlines()
    assert looked[0].startswith("It pays. ")
    assert looked[-1].startswith("Nothing was changed. It would be: Inputs are frozen")
    frozen = run("roi", "report").stdout.splitlines()
    assert frozen[:-1] == looked[:-1]
    assert frozen[-1].startswith("Inputs are frozen, SHA-256 ")
    assert run("roi", "report", "--dry-run").stdout.splitlines() == frozen


def test_a_report_is_written_as_a_page_a_table_and_json(run: Run, tmp_path: Path) -> None:
    """Three shapes of the same figures; amounts are decimal strings, estimates numbers, and no team is named."""
    page, table = tmp_path / "roi.html", tmp_path / "roi.csv"
    told = json.loads(run("roi", "report", "--html", str(page), "--csv", str(table), "--json").stdout)
    assert told["through"] == "2026-10"
    assert told["verdict"] == "pays"
    assert told["effect"]["uplift"].keys() == {"estimate", "low", "high"}
    assert float(told["effect"]["uplift"]["low"]) < 0.3 < float(told["effect"]["uplift"]["high"])
    assert isinstance(told["effect"]["mean"]["estimate"], float)
    assert len(told["returns"]["estimate"]["net_usd"].partition(".")[2]) == 9
    assert told["frozen"]
    months = list(csv.DictReader(table.read_text().splitlines()))
    assert [one["month"] for one in months] == [one["month"] for one in told["months"]]
    assert told["inputs_digest"] in page.read_text()
    assert not re.search(r"\bper_", page.read_text() + table.read_text() + json.dumps(told))


def test_a_month_that_is_not_over_is_refused(run: Run) -> None:
    """With what to do instead."""
    refused = run("roi", "report", "--month", "2026-11", code=1)
    assert "2026-11 is not over. Name an earlier month." in refused.output


def test_an_invented_company_shows_each_answer(tmp_path: Path) -> None:
    """One measure pays, one does not, two are not established; what was planted lies within each interval."""
    result = CliRunner().invoke(main, ["roi", "example", "--into", str(tmp_path / "pages"), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert [one["verdict"] for one in told.values()] == ["pays", "not_established", "does_not_pay", "not_established"]
    for one in told.values():
        uplift = {name: float(value) for name, value in one["effect"]["uplift"].items()}
        assert uplift["low"] < one["planted"] < uplift["high"]
        assert one["effect"]["before_after"] > 0.05
    assert len(list((tmp_path / "pages").glob("southwind-*.html"))) == len(told)
