"""The commands behind the monthly grants: budgets, bands, projects, roll-out, value, runs, calendar, deliveries."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from bot import wiring
from bot.cli import main
from tests.support import books, cast, rollout, slack
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from programme.app import App
    from tests.support.clock import Clock

    Run = Callable[..., Result]


@pytest.fixture
def run(sqlite_url: str, sqlite_app: App, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`tokens-bot …` on a launched company, at the tests' noon."""
    rollout.launch(sqlite_app)
    monkeypatch.setattr("bot.wiring.open_app", partial(wiring.open_app, clock=sqlite_app.clock))

    def invoke(*arguments: str, code: int = 0, **environ: str) -> Result:
        env: dict[str, str | None] = {"TOKENS_DATABASE_URL": sqlite_url, "TOKENS_TIME_ZONE": "Europe/Berlin", **environ}
        result = CliRunner().invoke(main, arguments, env=env)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


def read(result: Result) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(result.stdout)


def test_a_dry_run_and_the_run_agree(run: Run, sqlite_app: App) -> None:
    """What the dry run shows, person by person and in sum, is what the run posts, once."""
    plan = read(run("grants", "run", "--month", "2026-12", "--dry-run", "--json"))
    assert rollout.granted(sqlite_app, "2026-12") == {}
    assert plan["budget_usd"] is None
    posted = read(run("grants", "run", "--month", "2026-12", "--yes", "--json"))
    assert (posted["posted"], posted["people"]) == (True, len(plan["grants"]))
    assert posted["granted_tokens"] == plan["granted_tokens"]
    given = {
        cast.person_id(sqlite_app, who): f"{amount.decimal:.6f}"
        for who, amount in rollout.granted(sqlite_app, "2026-12").items()
    }
    assert {line["person_id"]: line["tokens"] for line in plan["grants"]} == given
    assert read(run("grants", "run", "--month", "2026-12", "--json")) == {
        "month": "2026-12",
        "posted": False,
        "dry_run": False,
    }
    assert "already posted" in run("grants", "run", "--month", "2026-12").stdout
    assert "5 people" in run("grants", "run", "--month", "2027-01", "--dry-run").stdout


def test_a_month_to_come_is_asked_about(run: Run, sqlite_app: App) -> None:
    """Where no one can be asked it is refused, with the option that says so; a month that has begun needs none."""
    assert "If you mean it, say --yes." in run("grants", "run", "--month", "2026-12", code=1).stderr
    assert rollout.granted(sqlite_app, "2026-12") == {}
    run("grants", "run", "--month", "2026-11")


def test_a_budget_that_is_too_small_is_refused_in_words(run: Run) -> None:
    """Exit 1, the shortfall, and the command that settles it."""
    run("budgets", "set", "2026-11", "1000")
    refused = run("grants", "run", "--month", "2026-12", "--yes", code=1)
    assert "floors of 5 people need USD" in refused.stderr
    assert "`tokens-bot budgets set`" in refused.stderr
    [budget] = read(run("budgets", "list", "--json"))
    assert (budget["month"], budget["usd"]) == ("2026-11", "1000.000000000")
    assert "2026-11" in run("budgets", "list").stdout
    run("budgets", "set", "2026-11", "0", code=2)


def test_bands_have_midpoints(run: Run) -> None:
    """A band's midpoint is set from a day on, and listed."""
    run("bands", "set", "P1", "95000.50", "--from", "2026-11-01")
    held = {line["band"]: line["midpoint_usd"] for line in read(run("bands", "list", "--json"))}
    assert held["P1"] == "95000.500000000"
    assert "P1" in run("bands", "list").stdout
    run("bands", "set", "P1", "-3", code=2)


def test_bands_in_other_currencies_need_a_rate(run: Run) -> None:
    """A midpoint in EUR has none in USD until two people have adopted the quarter's rate; both are listed."""
    assert "EUR 90,000.00 a year" in run("bands", "set", "P1", "90000", "--currency", "eur").stdout

    def held() -> dict[str, str]:
        return next(line for line in read(run("bands", "list", "--json")) if line["band"] == "P1")

    assert held() == {"band": "P1", "midpoint": "90000.000000000", "currency": "EUR", "midpoint_usd": "", "people": 1}
    run("rates", "set", "2026-Q4", "EUR", "1.08")
    assert "first of two" in run("rates", "adopt", "2026-Q4", USER="iris", LOGNAME="iris").stdout
    run("rates", "adopt", "2026-Q4", USER="iris", LOGNAME="iris", code=1)
    assert "1 EUR = USD 1.08" in run("rates", "adopt", "2026-Q4", USER="omar", LOGNAME="omar").stdout
    assert held()["midpoint_usd"] == "97200.000000000"
    [told] = read(run("rates", "list", "--json"))
    assert (told["state"], told["usd_per_unit"]) == ("frozen", "1.080000000")
    assert "frozen" in run("rates", "list").stdout
    run("rates", "set", "2026-Q4", "EUR", "1.10", code=1)


def test_projects_are_imported_whole_or_not_at_all(run: Run, tmp_path: Path) -> None:
    """Every bad line is named with its column and value; a good file is counted; who is left out has left."""
    path = tmp_path / "projects.csv"
    path.write_text(
        "project,name,complexity,director_email,email,share\n"
        f"atlas,Atlas,novel,,{ADA},0.6\n"
        f"atlas,Atlas,routine,,{BEN},1\n"
        "hermes,Hermes,hard,,nobody@example.com,1.5\n"
        f"zeus,Zeus,usual,,{ADA},0.5\n"
    )
    refused = run("projects", "import", str(path), code=1).stderr
    for text in (
        "line 3: project 'atlas' is described differently in line 2",
        "line 4: complexity = 'hard': expected one of routine, usual, demanding, novel",
        "line 4: email = 'nobody@example.com'",
        "line 4: share = '1.5'",
        "line 5: this person's shares add up to more than 1",
    ):
        assert text in refused
    path.write_text(f"project,name,complexity,email,share\natlas,Atlas,novel,{ADA},0.6\natlas,Atlas,novel,{BEN},1\n")
    assert read(run("projects", "import", str(path), "--json")) == {
        "projects": 1,
        "assignments": 2,
        "ended": 0,
        "dry_run": False,
    }
    path.write_text(f"project,name,complexity,email,share\natlas,Atlas,novel,{ADA},0.6\n")
    assert "1 ended" in run("projects", "import", str(path)).stdout


def test_the_rollout_is_shown_and_drawn(run: Run) -> None:
    """Phase, waves and who takes part; a draw with the same seed puts everyone where they were."""
    shown = read(run("rollout", "show", "--json"))
    assert (shown["phase"], sum(wave["take_part"] for wave in shown["waves"])) == (3, 5)
    assert "phase 3" in run("rollout", "show").stdout
    assert "not begun, no launch date is set" in run("rollout", "show", "--month", "2025-10").stdout
    first = run("rollout", "draw", "--seed", "lot").stdout
    assert first == run("rollout", "draw", "--seed", "lot").stdout
    assert "Seed lot." in first


def test_a_leave_is_noted(run: Run) -> None:
    """Someone is away from a day on; the wrong order of days is refused."""
    assert "is away from 2026-11-15." in run("people", "leave", ADA, "--from", "2026-11-15").stdout
    run("people", "leave", ADA, "--from", "2026-11-15", "--until", "2026-11-01", code=1)


def test_the_calendar_is_listed_and_done(run: Run) -> None:
    """`due` names what is owed at an instant, `tick` does it, and then nothing is owed."""
    at = "2026-11-20T13:00:00+01:00"
    owed = read(run("due", "--at", at, "--json"))
    assert [line["job"] for line in owed] == ["grants", "lapses", "expiry", "joiners", "notices"]
    assert "grants" in run("due", "--at", at).stdout
    done = read(run("tick", "--at", at, "--json"))
    assert (len(done["done"]), done["failed"]) == (5, [])
    assert run("due", "--at", at).stdout == "Nothing is owed.\n"
    assert run("tick", "--at", at).stdout == "Nothing was owed.\n"
    run("due", "--at", "2026-11-20T13:00:00", code=2)


def test_a_run_that_fails_is_told(run: Run) -> None:
    """Exit 1 and the reason; the doctor repeats it."""
    run("budgets", "set", "2026-11", "1000")
    failed = run("tick", code=1).stdout
    assert "grants of 2026-11: The floors of 5 people" in failed


def test_the_value_is_proposed_and_adopted(run: Run) -> None:
    """The whole calculation is shown as a table and as JSON; adopting it makes a version."""
    shown = run("value", "propose", "--quarter", "2027-Q1").stdout
    for text in (
        "claude-sonnet-4-5",
        "Laspeyres (official)   1.000000000",
        "largest provider       anthropic, 42.0% of the basket; its prices alone: +0.00%",
        "buffer                 14.1 %",
        "value adopt",
    ):
        assert text in shown
    proposed = read(run("value", "propose", "--quarter", "2027-Q1", "--json"))
    assert proposed["new"] == {"usd_per_token": "0.010000000"}
    assert proposed["calculation"]["index"] == "1.000000000"
    assert read(run("value", "adopt", "--quarter", "2027-Q1", "--json"))["version"] == "2027-Q1.1"
    assert "is adopted already" in run("value", "adopt", "--quarter", "2027-Q1").stdout
    assert "2027-Q1.1" in run("value", "show").stdout
    run("value", "adopt", "--quarter", "2027-Q2", code=1)
    run("value", "propose", "--quarter", "2027-Q5", code=2)


def test_what_is_owed_to_slack_is_delivered_or_listed(
    run: Run, sqlite_app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`deliver` sends what is due and says what is parked; `--list` what to do; `--retry` tries again."""
    run("grants", "run", "--month", "2026-11")
    monkeypatch.setattr("bot.cli.deliver.PAUSE_SECONDS", 0)
    with slack.workspace(clock=sqlite_app.clock, post_burst=100) as sandbox:
        sandbox.workspace.change_member(slack.ADA, deleted=True)
        env = slack.environment(sandbox, "sqlite:///unused.db")
        del env["TOKENS_DATABASE_URL"]
        delivered = read(run("deliver", "--json", **env))
        assert delivered["parked"] == 1
        assert delivered["sent"] >= 2
        parked = [line for line in read(run("deliver", "--list", "--json")) if line["state"] == "parked"]
        assert parked[0]["key"] == f"greeting:{cast.person_id(sqlite_app, ADA)}"
        assert f"deliver --retry {parked[0]['key']}" in parked[0]["what_to_do"]
        sandbox.workspace.change_member(slack.ADA, deleted=False)
        assert "1 message will be tried" in run("deliver", "--retry", parked[0]["key"]).stdout
        clock.move(seconds=1)
        assert read(run("deliver", "--json", **env))["sent"] == 1
        [greeting] = sandbox.messages(sandbox.dm(slack.ADA), slack.ADA)
        assert "for AI services, worth USD" in json.dumps(greeting.blocks)
    run("deliver", "--retry", "no-such-key", code=1)
    assert datetime.fromisoformat(parked[0]["due_at"]).tzinfo is not None


def test_one_person_is_one_whatever_they_go_by(run: Run, sqlite_app: App) -> None:
    """Whose e-mail begins with the login is the person in Slack; a login that is no one's has to say who it is."""
    sent = {"LOGNAME": "Iris"}
    run("value", "propose", "--quarter", "2027-Q1", **sent)
    run("value", "adopt", "--quarter", "2027-Q1", **sent)
    assert "No one in the programme goes by 'who@example.com'." in (
        run("value", "adopt", "--quarter", "2027-Q1", "--by", "who@example.com", code=1).stderr
    )
    [adopted] = books.audited(sqlite_app, "value.adopt")
    assert adopted["actor"] == cast.person_id(sqlite_app, "iris@example.com")
    assert adopted["after"]["login"] == "Iris"
