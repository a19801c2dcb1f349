"""`tokens-bot export spend`: the figures behind the managers' reports, with what they leave out."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from pyarrow import parquet

from bot.cli import main
from policy.period import Week, day_of
from tests.support import cast, teams
from tests.support.books import ADA, BEN
from tests.support.clock import Clock
from tests.support.teams import MARA, TEAM

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from programme.app import App

    Run = Callable[..., Result]


@pytest.fixture
def office(sqlite_app: App) -> App:
    """A app of today: the command reads the machine's clock."""
    return dataclasses.replace(sqlite_app, clock=Clock(datetime.now(UTC)))


@pytest.fixture
def run(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TOKENS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TOKENS_TIME_ZONE", "Europe/Berlin")
    return lambda *words: CliRunner().invoke(main, ["export", "spend", *words])


def rows(result: Result) -> list[dict[str, str]]:
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_each_week_and_service_is_a_line(run: Run, office: App) -> None:
    """What the report draws: amounts as decimals, this week last, the grants' pace where there are grants."""
    teams.hire_team(office)
    teams.work(office, dict.fromkeys(TEAM, 100))
    teams.work(office, dict.fromkeys(TEAM, 30), model=cast.GPT)
    told = rows(run())
    assert {row["manager_email"] for row in told} == {MARA}
    weeks = list(dict.fromkeys(row["begins_on"] for row in told))
    assert len(weeks) == 12
    assert weeks[-1] == str(Week.containing(day_of(office.clock(), office.zone)).first_day)
    [anthropic, openai] = [row for row in told if row["begins_on"] == weeks[-2]]
    assert Week.parse(anthropic["week"]).first_day.isoformat() == weeks[-2]
    assert (anthropic["service"], openai["service"]) == ("Anthropic API", "OpenAI API")
    assert anthropic["spend_usd"] == "34.999650000"
    total = Decimal(anthropic["spend_usd"]) + Decimal(openai["spend_usd"])
    assert Decimal(anthropic["week_usd"]) == Decimal(openai["week_usd"]) == total
    assert (anthropic["pace_usd"], anthropic["not_told"]) == ("", "")


def test_each_format_says_the_same(run: Run, office: App) -> None:
    """JSON has the lines of the CSV, with null where those are empty; Parquet numbers as such."""
    teams.hire_team(office)
    teams.work(office, dict.fromkeys(TEAM, 100))
    told = rows(run())
    listed = json.loads(run("--json").stdout)
    assert [{name: value or "" for name, value in row.items()} for row in listed] == told
    columns = parquet.read_table(io.BytesIO(run("--parquet").stdout_bytes)).to_pydict()
    assert columns["spend_usd"] == [Decimal(row["spend_usd"]) if row["spend_usd"] else None for row in told]


def test_what_is_not_told_has_its_reason(run: Run, office: App) -> None:
    """A team of two has one line without figures; of people who lead no one there is none."""
    teams.work(office, {ADA: 100, BEN: 100})
    [row] = rows(run())
    assert {name: value for name, value in row.items() if value} == {"manager_email": MARA, "not_told": "few_people"}
    assert rows(run("--manager", ADA)) == []
    refused = run("--manager", "nobody@example.com")
    assert (refused.exit_code, "No one has the e-mail" in refused.output) == (1, True)
